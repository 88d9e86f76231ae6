//! A tap: somebody outside who sees every step.
//!
//! Law: it sees each step of a live turn once and in order, after the turn is over; a replay is
//! silent. It has nothing to influence the Node with.

use super::Node;
use crate::step::EngineStep;

/// Whom steps are shown to.
pub type Tap = Box<dyn FnMut(&EngineStep) + Send>;

impl Node {
    /// Shows every step from now on to `tap`, or to nobody.
    ///
    /// ```
    /// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
    /// use samsara_runtime::{
    ///     compiler::Compiler, config::NodeConfig, graph::Graph, node::install, time::Nanos,
    /// };
    ///
    /// let g = Graph::new("Echo");
    /// g.emit("said", g.input::<String>("text"));
    /// let program = Compiler::new().compile(g.build()?)?;
    /// let mut node = install(1.into(), [], &program, &["Echo"], NodeConfig::default())?;
    ///
    /// let seen = Arc::new(AtomicUsize::new(0));
    /// let counter = Arc::clone(&seen);
    /// node.set_telemetry_tap(Some(Box::new(move |_| {
    ///     counter.fetch_add(1, Ordering::Relaxed);
    /// })));
    /// node.invoke("Echo", [("text", "hello")])?;
    /// node.run_until_idle(Nanos::ZERO);
    /// assert_eq!(seen.load(Ordering::Relaxed), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_telemetry_tap(&mut self, tap: Option<Tap>) {
        self.beside().tap = tap;
    }

    pub(super) fn show(&mut self, steps: &[EngineStep]) {
        if let Some(tap) = self.beside.as_mut().and_then(|beside| beside.tap.as_mut()) {
            steps.iter().for_each(tap);
        }
    }
}
