//! Requests that tell the Node's own modules something, and listen.
//!
//! Law: each method records the row of [`syscalls`](crate::graph::syscalls) that its comment names.
//!
//! ```
//! use samsara_runtime::graph::Graph;
//!
//! let g = Graph::new("Watch");
//! g.emit("failure", g.on_event("infra.op_failed"));
//! g.notify("seen", g.on_lifecycle("Shutdown"));
//! assert!(g.build().is_ok());
//! ```

use crate::graph::{Graph, Wire};

impl Graph {
    /// Tells the modules of this Node a value under a topic (`AppNotify`).
    pub fn notify(&self, topic: &str, value: Wire<'_>) {
        let [] = self.ask("AppNotify", [value], [("topic", topic.into())]);
    }

    /// Starts an execution for each event of this kind, such as `infra.op_failed` or `app.` and a
    /// topic, and gives the event (`EventSource`).
    pub fn on_event(&self, kind: &str) -> Wire<'_> {
        self.one("EventSource", [], [("kind", kind.into())])
    }

    /// Triggers when the host says that this phase has come: `Snapshot`, `Shutdown`, or one of the
    /// program's own (`LifecyclePhase`).
    pub fn on_lifecycle(&self, phase: &str) -> Wire<'_> {
        self.one("LifecyclePhase", [], [("phase", phase.into())])
    }

    /// Asks for a module's bootstrap, which runs unless it has (`Bootstrap.Dispatch`).
    pub fn dispatch_bootstrap(&self, module: &str, trigger: Wire<'_>) {
        let [] = self.ask("Bootstrap.Dispatch", [trigger], [("module", module.into())]);
    }
}
