//! Other components that a component reads, declared and lent.
//!
//! Law: what is declared is there, or the program does not compile.

use std::any::TypeId;

use super::{
    Component, Ops,
    wants::{Dependency, Wanted},
};
use crate::{
    context::{Cx, DependencyError},
    role::Role,
};

impl<C: Component> Ops<C> {
    /// Declares that the slot holds a `D`, for [`Cx::dependency`] to lend.
    ///
    /// ```
    /// use samsara_runtime::{compiler::Compiler, component::{Component, Ops}, context::Cx, graph::Graph};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Prices { apple: u64 }
    ///
    /// impl Component for Prices {
    ///     const TYPE_NAME: &'static str = "demo.prices@1";
    ///     fn ops(ops: &mut Ops<Self>) {
    ///         ops.on("set", |prices: &mut Self, apple: u64| prices.apple = apple);
    ///     }
    /// }
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Till {}
    ///
    /// impl Component for Till {
    ///     const TYPE_NAME: &'static str = "demo.till@1";
    ///     fn ops(ops: &mut Ops<Self>) {
    ///         ops.depends_on::<Prices>("prices");
    ///         ops.on("apples", |_: &mut Self, cx: &mut Cx<'_>, count: u64| {
    ///             cx.dependency::<Prices>("prices").map(|prices| count * prices.apple)
    ///         });
    ///     }
    /// }
    ///
    /// let g = Graph::new("Sell");
    /// g.output("price", g.slot("till").op("apples", [g.input::<u64>("count")]));
    /// let alone = Compiler::new().bind::<Till>("till").compile(g.build()?);
    /// assert_eq!(
    ///     alone.expect_err("no prices").to_string(),
    ///     "link: till: depends on demo.prices@1 in slot \"prices\", which is not bound",
    /// );
    /// # Ok::<(), samsara_runtime::module::Diagnostics>(())
    /// ```
    pub fn depends_on<D: Component>(&mut self, slot: &'static str) -> &mut Self {
        let wanted = Wanted::Type { name: D::TYPE_NAME, rust_type: TypeId::of::<D>() };
        self.wants.dependencies.push(Dependency { slot, wanted });
        self
    }

    /// Declares that the slot holds a component that claims the role, whatever its type.
    pub fn depends_on_role(&mut self, role: Role, slot: &'static str) -> &mut Self {
        self.wants.dependencies.push(Dependency { slot, wanted: Wanted::Role(role) });
        self
    }
}

impl<'a> Cx<'a> {
    /// The component in another slot, to read. One that is declared by [`Ops::depends_on`] is there.
    pub fn dependency<D: Component>(&self, slot: &str) -> Result<&'a D, DependencyError> {
        let Some(component) = self.components().for_slot(slot) else {
            return Err(DependencyError::NotBound { slot: slot.to_owned() });
        };
        component.downcast_ref().ok_or_else(|| DependencyError::TypeMismatch {
            slot: slot.to_owned(),
            expected: D::TYPE_NAME,
        })
    }
}
