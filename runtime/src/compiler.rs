//! The compiler: from drafts to a sealed [`Program`].
//!
//! Law: six pure steps, each from a draft to a draft, and every step tells all that it finds. What
//! comes out is what [`Program::open`] makes of its bytes; the same input gives the same bytes.
//!
//! ```
//! use samsara_runtime::compiler::Compiler;
//! use samsara_runtime::component::{Component, Ops};
//! use samsara_runtime::graph::Graph;
//! use samsara_runtime::program::Program;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Counter { total: u64 }
//!
//! impl Component for Counter {
//!     const TYPE_NAME: &'static str = "demo.counter@1";
//!     fn ops(ops: &mut Ops<Self>) {
//!         ops.on("add", |counter: &mut Self, n: u64| { counter.total += n; counter.total });
//!     }
//! }
//!
//! let g = Graph::new("Count");
//! g.output("total", g.slot("counter").op("add", [g.input::<u64>("n")]));
//! let program = Compiler::new().bind::<Counter>("counter").compile(g.build()?)?;
//! assert_eq!(program.targets().collect::<Vec<_>>(), ["Count"]);
//!
//! let opened = Program::open(program.bytes().clone(), program.registry().clone())?;
//! assert_eq!(opened, program);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bind;
mod infer;
mod link;
mod open;
mod place;
mod requests;
mod roles;
mod seal;
mod settings;
mod validate;
mod wants;

use std::{collections::BTreeMap, fmt, sync::Arc};

use self::bind::Binding;
use crate::{
    component::{ComponentType, Registry},
    config::PlanConfig,
    module::{Diagnostics, Draft, Problem, Step},
    program::Program,
    role::{Role, backend::Backends},
};

pub use self::open::OpenError;

type Stage = Box<dyn Fn(Draft, &mut Diagnostics) -> Draft>;

/// What drafts are compiled with.
#[derive(Default)]
pub struct Compiler {
    registry: Registry,
    /// In the order of binding.
    bindings: Vec<Binding>,
    roles: Vec<(String, Role)>,
    backends: Vec<String>,
    mistakes: Diagnostics,
    stages: Vec<(Step, Stage)>,
    limits: PlanConfig,
}

/// What the steps know beside the draft.
struct Surroundings<'a> {
    registry: &'a Registry,
    limits: &'a PlanConfig,
}

impl Surroundings<'_> {
    /// The kind of component in a slot.
    fn component(&self, draft: &Draft, slot: &str) -> Option<&ComponentType> {
        self.registry.find(draft.slots.get(slot)?)
    }

    /// The backends that a draft is bound to, as far as they are known.
    fn backends(&self, draft: &Draft) -> Backends {
        let mut backends = Backends::default();
        let known = draft.backends.iter().filter_map(|name| self.registry.backend(name));
        known.for_each(|backend| backends.push(Arc::clone(backend)));
        backends
    }
}

type StepFn = fn(Draft, &Surroundings<'_>, &mut Diagnostics) -> Draft;

/// The steps between record and seal, which opening a program goes through too.
const CHECKS: [(Step, StepFn); 4] = [
    (Step::Validate, validate::validate),
    (Step::Infer, infer::infer),
    (Step::Place, place::place),
    (Step::Link, link::link),
];

impl Compiler {
    /// A compiler with nothing bound.
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds programs to other limits than the default ones.
    #[must_use]
    pub fn limits(mut self, limits: PlanConfig) -> Self {
        self.limits = limits;
        self
    }

    /// Inserts a stage right after a step. Stages run in the order in which they are inserted, and
    /// only while nothing is wrong, so that they can rely on what the steps before them promise.
    ///
    /// ```
    /// use samsara_runtime::compiler::Compiler;
    /// use samsara_runtime::graph::Graph;
    /// use samsara_runtime::module::{Problem, Step};
    ///
    /// let compiler = Compiler::new().stage(Step::Infer, |draft, found| {
    ///     for module in draft.modules.values().filter(|module| module.body.ops.len() > 1) {
    ///         found.report(Step::Infer, &module.name, "", Problem::Other("too large".into()));
    ///     }
    ///     draft
    /// });
    /// let g = Graph::new("Large");
    /// g.emit("two", g.pass_through(g.input::<u64>("n")));
    /// let refused = compiler.compile(g.build()?).expect_err("it has two ops");
    /// assert_eq!(refused.to_string(), "infer: Large: too large");
    /// # Ok::<(), samsara_runtime::module::Diagnostics>(())
    /// ```
    #[must_use]
    pub fn stage(
        mut self,
        after: Step,
        stage: impl Fn(Draft, &mut Diagnostics) -> Draft + 'static,
    ) -> Self {
        if after == Step::Seal {
            self.mistakes.report(Step::Record, "", "", Problem::StageAfterSeal);
        }
        self.stages.push((after, Box::new(stage)));
        self
    }

    /// Compiles one draft.
    pub fn compile(&self, draft: Draft) -> Result<Program, Diagnostics> {
        self.compile_all([draft])
    }

    /// Compiles several drafts into one program, whose targets are those of all of them.
    pub fn compile_all(
        &self,
        drafts: impl IntoIterator<Item = Draft>,
    ) -> Result<Program, Diagnostics> {
        let mut found = self.mistakes.clone();
        let around = Surroundings { registry: &self.registry, limits: &self.limits };
        let draft = self.record(drafts, &mut found);
        let mut draft = self.run_stages(Step::Record, draft, &mut found);
        for (step, run) in CHECKS {
            draft = run(draft, &around, &mut found);
            draft = self.run_stages(step, draft, &mut found);
        }
        let draft = found.or(draft)?;
        seal::seal(&draft, &Arc::new(self.registry.clone()), &self.limits)
    }

    /// Brings drafts and bindings together.
    fn record(&self, drafts: impl IntoIterator<Item = Draft>, found: &mut Diagnostics) -> Draft {
        let mut all = Draft::default();
        let mut binders = BTreeMap::new();
        for draft in drafts {
            let who = draft.targets.iter().cloned().collect::<Vec<_>>().join(", ");
            let by = |slot: &str| binders.get(slot).into_iter().chain([&who]).cloned().collect();
            all.absorb(&draft, by, found);
            for slot in draft.slots.into_keys() {
                binders.entry(slot).or_insert_with(|| who.clone());
            }
            all.targets.extend(draft.targets);
        }
        for Binding { slot, type_name, config } in &self.bindings {
            let compiler = || "the compiler".to_owned();
            let by = || vec![binders.get(slot).cloned().unwrap_or_else(compiler), compiler()];
            all.bind(slot, type_name, config.as_deref(), by, found);
        }
        for (slot, role) in &self.roles {
            all.roles.entry(slot.clone()).or_default().insert(*role);
        }
        self.backends.iter().for_each(|backend| all.offer(backend));
        all
    }

    fn run_stages(&self, after: Step, draft: Draft, found: &mut Diagnostics) -> Draft {
        let stages = self.stages.iter().filter(|(step, _)| *step == after);
        stages.fold(draft, |draft, (_, stage)| match found.is_empty() {
            true => stage(draft, found),
            false => draft,
        })
    }
}

/// Runs all checks over a draft that came from outside.
fn check(draft: Draft, around: &Surroundings<'_>) -> Result<Draft, Diagnostics> {
    let mut found = Diagnostics::default();
    let checked = CHECKS.iter().fold(draft, |draft, (_, run)| run(draft, around, &mut found));
    found.or(checked)
}

impl fmt::Debug for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stages: Vec<_> = self.stages.iter().map(|(after, _)| after).collect();
        f.debug_struct("Compiler")
            .field("bindings", &self.bindings.iter().map(|bound| &bound.slot).collect::<Vec<_>>())
            .field("backends", &self.backends)
            .field("stages_after", &stages)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
