//! The memory that a Node asks for where its host chose the size.
//!
//! Law: it is asked for before anything has changed, so that where there is none the call is refused
//! and that is all.

use super::Node;
use crate::{error::DeliveryError, reserve::Reserve};

impl Node {
    /// The seam through which the Node asks for memory on behalf of its callers. A test puts one
    /// there that [fails](Reserve::failing_at), and sees by [`asked`](Reserve::asked) what it reached.
    ///
    /// ```
    /// use samsara_runtime::{
    ///     compiler::Compiler, config::NodeConfig, error::DeliveryError, graph::Graph,
    ///     node::install, reserve::Reserve,
    /// };
    ///
    /// let g = Graph::new("Echo");
    /// g.output("said", g.input::<String>("text"));
    /// let program = Compiler::new().compile(g.build()?)?;
    /// let mut node = install(1.into(), [], &program, &["Echo"], NodeConfig::default())?;
    ///
    /// *node.reserve() = Reserve::failing_at(0);
    /// let refused = node.invoke("Echo", [("text", "hello")]);
    /// assert!(matches!(refused, Err(DeliveryError::AllocationFailed(_))));
    /// node.invoke("Echo", [("text", "hello")])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reserve(&mut self) -> &mut Reserve {
        &mut self.beside().memory
    }

    /// A list for as many items as an iterator may give, and no more than `cap`.
    pub(super) fn list<T>(
        &mut self,
        items: &impl Iterator,
        cap: u32,
    ) -> Result<Vec<T>, DeliveryError> {
        let (least, most) = items.size_hint();
        let room = most.unwrap_or(least).min(cap as usize);
        Ok(self.reserve().vec(room)?)
    }
}
