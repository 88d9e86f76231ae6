//! What a supervisor hears, and what it wants done.
//!
//! Law: both are data and name the life they mean, so that a late word about an earlier life cannot
//! be taken for one about this one.

use super::child::{ChildId, Life, Step};
use super::policy::Cause;
use crate::time::Nanos;

/// What a supervisor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Someone wants a child that is not there to be brought to life.
    Start {
        /// The child.
        child: ChildId,
    },
    /// Someone wants a child to stop and to stay away. A restart of its group brings it back.
    Stop {
        /// The child.
        child: ChildId,
    },
    /// Someone mended what put a child aside. Children that fall together are released together.
    Release {
        /// The child.
        child: ChildId,
    },
    /// What was decided is done.
    Done {
        /// The child.
        child: ChildId,
        /// Its life.
        life: Life,
        /// What is done.
        step: Step,
    },
    /// A child ended by itself, hangs, or could not be brought to life.
    Exited {
        /// The child.
        child: ChildId,
        /// Its life.
        life: Life,
        /// Why.
        cause: Cause,
    },
    /// Nothing of this life runs any more, or can still do anything: the answer to a stop, a join
    /// and a kill.
    Joined {
        /// The child.
        child: ChildId,
        /// Its life.
        life: Life,
    },
    /// It is the time of the next wake-up.
    Tick,
    /// All children are to stop for good.
    Shutdown,
}

/// What a host is to do, in the order given. Each is answered by an [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Ask a child to stop, and say when it is joined.
    Stop {
        /// The child.
        child: ChildId,
        /// Its life.
        life: Life,
        /// When it will be killed.
        deadline: Nanos,
    },
    /// Wait for what is left of a child that ended: until then it may still hold its state.
    Join {
        /// The child.
        child: ChildId,
        /// Its life.
        life: Life,
        /// When it will be killed.
        deadline: Nanos,
    },
    /// End a child whatever it takes, or abandon and fence what cannot be ended.
    Kill {
        /// The child.
        child: ChildId,
        /// Its life.
        life: Life,
    },
    /// Do this step of bringing a child to life.
    Do {
        /// The child.
        child: ChildId,
        /// The life that begins with it.
        life: Life,
        /// The step.
        step: Step,
    },
    /// A child has ended and does not come back by itself.
    Ended {
        /// The child.
        child: ChildId,
        /// Why, unless it was stopped.
        cause: Option<Cause>,
    },
    /// A child is put aside until it is released; who asks for it hears that it is busy.
    Quarantine {
        /// The child.
        child: ChildId,
        /// Why it ended, unless it was stopped because another one fell.
        cause: Option<Cause>,
    },
    /// All children are stopped, since restarting has not helped. The parent decides.
    Escalate {
        /// The child that fell last.
        child: ChildId,
        /// Why.
        cause: Cause,
    },
    /// All children are stopped, as was wanted.
    Closed,
}
