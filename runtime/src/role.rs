//! Roles: what a component is to a program, as named sets of ops.
//!
//! Law: a role is a table, read by recording, registration and linking alike. A type that claims a
//! role need not have all its ops; those that it has are what the table says.
//!
//! ```
//! use samsara_runtime::role::Role;
//!
//! let row = Role::Codec.op("decode").expect("a row of the table");
//! assert_eq!(row.to_string(), "decode(bytes) -> (any value)");
//! assert!(Role::Codec.op("shout").is_none());
//! ```

pub mod backend;

use std::fmt;

use crate::schema::{PortType, TensorType};

/// What a component is to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Runs tensors as an op of its own. Plain ONNX ops are run by a [`backend::Backend`].
    Backend,
    /// Predicts, and learns weights that can be read and replaced.
    Model,
    /// Finds items by what they are like.
    Index,
    /// Makes one value of many.
    Aggregator,
    /// Turns values into bytes and back.
    Codec,
    /// Gives items one after the other.
    DataSource,
    /// Chooses among peers.
    PeerSelector,
    /// Speaks with peers.
    Protocol,
}

/// One op of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleOp {
    /// Its name.
    pub name: &'static str,
    /// The types of its inputs, by position.
    pub inputs: Vec<PortType>,
    /// The types of its outputs, by position.
    pub outputs: Vec<PortType>,
}

use PortType::{Any, Bool, Bytes, F64, Peer, U64, Unit};

impl Role {
    /// All roles.
    pub const ALL: [Self; 8] = [
        Self::Backend,
        Self::Model,
        Self::Index,
        Self::Aggregator,
        Self::Codec,
        Self::DataSource,
        Self::PeerSelector,
        Self::Protocol,
    ];

    /// Its name, as sealed programs bear it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Model => "model",
            Self::Index => "index",
            Self::Aggregator => "aggregator",
            Self::Codec => "codec",
            Self::DataSource => "data_source",
            Self::PeerSelector => "peer_selector",
            Self::Protocol => "protocol",
        }
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its ops. Where an input only says when, it takes any value.
    pub fn ops(self) -> Vec<RoleOp> {
        let list = PortType::list;
        let tensors = || list(PortType::Tensor(TensorType::default()));
        match self {
            Self::Backend => vec![row("run", [tensors()], [tensors()])],
            Self::Model => vec![
                row("predict", [Any], [Any]),
                row("train", [Any], [Any]),
                row("weights", [Any], [tensors()]),
                row("load_weights", [tensors()], [Unit]),
            ],
            Self::Index => vec![
                row("insert", [Any, Any], [Unit]),
                row("search", [Any, U64], [list(Any)]),
                row("remove", [Any], [Bool]),
                row("len", [Any], [U64]),
            ],
            Self::Aggregator => vec![
                row("aggregate", [list(Any)], [Any]),
                row("aggregate_weighted", [list(Any), list(F64)], [Any]),
            ],
            Self::Codec => vec![row("encode", [Any], [Bytes]), row("decode", [Bytes], [Any])],
            Self::DataSource => vec![
                row("next", [Any], [Any]),
                row("len", [Any], [U64]),
                row("reset", [Any], [Unit]),
            ],
            Self::PeerSelector => vec![row("select", [list(Peer), U64], [list(Peer)])],
            Self::Protocol => vec![
                row("start", [Any], [Any]),
                row("on_message", [Peer, Any], [Any]),
                row("stop", [Any], [Unit]),
            ],
        }
    }

    /// The op of this name.
    pub fn op(self, name: &str) -> Option<RoleOp> {
        self.ops().into_iter().find(|op| op.name == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl RoleOp {
    /// Whether an op of these types is this one: as many of each, and each within the table's type.
    pub fn admits(&self, inputs: &[PortType], outputs: &[PortType]) -> bool {
        let all = |declared: &[PortType], own: &[PortType]| {
            declared.len() == own.len() && declared.iter().zip(own).all(|(ty, own)| within(ty, own))
        };
        all(inputs, &self.inputs) && all(outputs, &self.outputs)
    }
}

impl fmt::Display for RoleOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types = |types: &[PortType]| types.iter().map(PortType::to_string).collect::<Vec<_>>();
        let (inputs, outputs) = (types(&self.inputs), types(&self.outputs));
        write!(f, "{}({}) -> ({})", self.name, inputs.join(", "), outputs.join(", "))
    }
}

fn row<const I: usize, const O: usize>(
    name: &'static str,
    inputs: [PortType; I],
    outputs: [PortType; O],
) -> RoleOp {
    RoleOp { name, inputs: inputs.into(), outputs: outputs.into() }
}

/// Whether every value of the one type is also of the other, as far as the tables need to know.
fn within(declared: &PortType, own: &PortType) -> bool {
    match (declared, own) {
        (_, Any) => true,
        (PortType::List(declared), PortType::List(own)) => within(declared, own),
        (PortType::Tensor(_), PortType::Tensor(own)) => *own == TensorType::default(),
        _ => declared == own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_name_of_its_own_and_ops_of_different_names() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
            let ops = role.ops();
            assert!(!ops.is_empty(), "{role}");
            for op in &ops {
                let alike = ops.iter().filter(|other| other.name == op.name);
                assert_eq!(alike.count(), 1, "{role} {}", op.name);
                assert!(op.admits(&op.inputs, &op.outputs), "{role} {op}");
            }
        }
    }

    #[test]
    fn an_op_may_be_narrower_than_its_table_and_not_wider_or_other() {
        let search = Role::Index.op("search").expect("a row");
        let texts = PortType::list(PortType::Text);
        assert!(search.admits(&[PortType::Text, U64], &[texts]));
        assert!(!search.admits(&[PortType::Text, Any], &[PortType::list(Any)]), "wider");
        assert!(!search.admits(&[PortType::Text], &[PortType::list(Any)]), "fewer");
        assert!(!search.admits(&[Any, U64], &[Any]), "no list");
    }
}
