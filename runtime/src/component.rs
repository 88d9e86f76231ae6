//! Components: the code and state that a program's slots are bound to.
//!
//! Law: a component is a plain value with serialisable state and ops. What it does depends on that
//! state, its arguments and its [`Cx`](crate::context::Cx) alone; it holds no clock, no socket and
//! no thread.
//!
//! ```
//! use samsara_runtime::component::{Component, Ops, Registry};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Counter {
//!     total: u64,
//! }
//!
//! impl Component for Counter {
//!     const TYPE_NAME: &'static str = "demo.counter@1";
//!
//!     fn ops(ops: &mut Ops<Self>) {
//!         ops.on("add", |counter: &mut Self, n: u64| {
//!             counter.total += n;
//!             counter.total
//!         });
//!     }
//! }
//!
//! let mut registry = Registry::default();
//! registry.register::<Counter>()?;
//! let counter = registry.find("demo.counter@1").expect("just registered");
//! assert_eq!(counter.op_names().collect::<Vec<_>>(), ["add"]);
//! # Ok::<(), samsara_runtime::component::RegistrationError>(())
//! ```

mod callback;
mod claims;
mod config;
mod dependency;
mod handler;
mod job;
mod registry;
mod wants;

use serde::{Serialize, de::DeserializeOwned};

pub use self::callback::Outcome;
pub(crate) use self::callback::{ErasedCallback, Told};
pub use self::config::{Configured, ConstructError};
pub(crate) use self::handler::ErasedHandler;
pub use self::handler::{Argument, Handler, Ops, WithCx};
pub use self::job::Prepares;
pub use self::registry::{ComponentType, RegistrationError, Registry, Signature};
pub(crate) use self::wants::{Wanted, Wants};
use crate::codec::write_body;
pub(crate) use crate::context::{AnyComponent, Slotted};

/// A kind of component. One that is to be bound without settings is `Default` besides.
pub trait Component: Sized + Serialize + DeserializeOwned + Send + 'static {
    /// Its stable name, `package.kind@version`, chosen by its author: snapshots bear it.
    const TYPE_NAME: &'static str;

    /// Declares its ops.
    fn ops(ops: &mut Ops<Self>);
}

impl<C: Component> AnyComponent for C {
    fn state(&self) -> Result<Vec<u8>, String> {
        write_body(self)
    }
}
