//! The mistakes of programs over several places.
//!
//! Law: a value that is where it is not wanted is told with both ends.

/// What can be wrong with places, channels and gathers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceProblem {
    /// A place of one graph was used in another, or there are too many of them.
    #[error("wanted a place of this graph, of which there may be {cap}")]
    NoPlace {
        /// How many places a graph may have.
        cap: usize,
    },
    /// A gather was asked for what is not received as it wants.
    #[error("a gather: wanted {wanted}")]
    BadGather {
        /// What it wants.
        wanted: &'static str,
    },
    /// A value is read at another place than the one that it is at, and no channel carries it.
    #[error("{value:?} is at {from:?}, {reader:?} at {to:?} reads it, and no channel carries it")]
    Crosses {
        /// The value.
        value: String,
        /// The place that it is at.
        from: String,
        /// The op or output that reads it.
        reader: String,
        /// The place of that.
        to: String,
    },
    /// A module that is called runs at several places.
    #[error("{module:?} has places of its own, wanted a module that runs at one place")]
    PlacedCallee {
        /// The module.
        module: String,
    },
    /// A channel stands in a bootstrap.
    #[error("a bootstrap cannot receive, wanted the channel in the body")]
    ChannelInBootstrap,
    /// A channel does not fit the modules that it stands between.
    #[error("the channel {name:?} lacks {what}")]
    BadChannel {
        /// The channel.
        name: String,
        /// What is not there.
        what: String,
    },
}
