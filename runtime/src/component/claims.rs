//! The roles that a type claims.
//!
//! Law: an op that bears the name of a claimed role's op is that op, or the type is not registered.

use std::collections::BTreeMap;

use super::{
    Component,
    handler::{DeclaredOp, Ops},
    registry::RegistrationError,
};
use crate::role::{Role, RoleOp};

impl<C: Component> Ops<C> {
    /// Claims a role; ops of the role that the type does not have are left out.
    ///
    /// ```
    /// use samsara_runtime::component::{Component, ComponentType, Ops};
    /// use samsara_runtime::role::Role;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Mean;
    ///
    /// impl Component for Mean {
    ///     const TYPE_NAME: &'static str = "demo.mean@1";
    ///
    ///     fn ops(ops: &mut Ops<Self>) {
    ///         ops.claims(Role::Aggregator).on("aggregate", |_: &mut Self, all: Vec<f64>| {
    ///             all.iter().sum::<f64>() / all.len() as f64
    ///         });
    ///     }
    /// }
    ///
    /// let mean = ComponentType::of::<Mean>()?;
    /// assert!(mean.claims(Role::Aggregator) && !mean.claims(Role::Model));
    /// # Ok::<(), samsara_runtime::component::RegistrationError>(())
    /// ```
    pub fn claims(&mut self, role: Role) -> &mut Self {
        self.claims.insert(role);
        self
    }

    /// Holds what is declared against the tables of the claimed roles.
    pub(super) fn check_claims(&self) -> Result<(), RegistrationError> {
        self.claims.iter().try_for_each(|role| check(self.type_name, *role, &self.declared))
    }
}

fn check(
    type_name: &'static str,
    role: Role,
    declared: &BTreeMap<&'static str, DeclaredOp>,
) -> Result<(), RegistrationError> {
    let mut has_any = false;
    for wanted in role.ops() {
        let Some(op) = declared.get(wanted.name) else { continue };
        has_any = true;
        let (inputs, outputs) = (&op.signature.inputs, &op.signature.outputs);
        if !wanted.admits(inputs, outputs) {
            let (inputs, outputs) = (inputs.clone(), outputs.clone());
            let got = RoleOp { name: wanted.name, inputs, outputs };
            let (wanted, got) = (Box::new(wanted), Box::new(got));
            return Err(RegistrationError::RoleSignature { type_name, role, wanted, got });
        }
    }
    if has_any { Ok(()) } else { Err(RegistrationError::EmptyClaim { type_name, role }) }
}
