//! The third step: a type for every value, from the signatures of what gives it.
//!
//! Law: a declared type stays; one that does not fit what flows there is told with both ends. What
//! cannot be resolved is left to the link step to tell.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Surroundings, link::call_order, requests};
use crate::{
    graph::syscalls::{SysOut, Syscall, syscall},
    module::{Body, CHANNEL, Diagnostics, Draft, Op, OpKind, Port, Problem, Step},
    schema::{PortType, TensorType},
    value::Value,
};

/// Types by position; `None` where nothing is known.
type Types = Vec<Option<PortType>>;

/// What an op takes and gives, lent where a module or row has it already.
type Known<'a> = (Cow<'a, [Option<PortType>]>, Cow<'a, [Option<PortType>]>);

pub(super) fn infer(mut draft: Draft, around: &Surroundings<'_>, found: &mut Diagnostics) -> Draft {
    let mut signatures = BTreeMap::<String, (Types, Types)>::new();
    for name in call_order(&draft).sorted {
        let Some(mut module) = draft.modules.remove(&name) else { continue };
        for (prefix, body) in module.bodies_mut() {
            let typed = Inference {
                place: (&name, prefix),
                body,
                signatures: &signatures,
                draft: &draft,
                around,
                found,
            }
            .run();
            for (value, ty) in body.values.iter_mut().zip(typed) {
                value.ty = ty;
            }
        }
        let types = |ports: &[Port]| {
            let ty = |port: &Port| module.body.value(port.value).and_then(|value| value.ty.clone());
            ports.iter().map(ty).collect::<Types>()
        };
        let signature = (types(&module.body.inputs), types(&module.body.outputs));
        signatures.insert(name.clone(), signature);
        draft.modules.insert(name, module);
    }
    draft
}

/// One body while its values get their types.
struct Inference<'a> {
    place: (&'a str, &'static str),
    body: &'a Body,
    signatures: &'a BTreeMap<String, (Types, Types)>,
    draft: &'a Draft,
    around: &'a Surroundings<'a>,
    found: &'a mut Diagnostics,
}

impl<'a> Inference<'a> {
    /// The types of the body's values.
    fn run(mut self) -> Types {
        let body = self.body;
        let mut types: Types = body.values.iter().map(|value| value.ty.clone()).collect();
        let mut givers: Vec<String> = body.values.iter().map(|value| value.name.clone()).collect();
        for op in &body.ops {
            let given: Types = { op.inputs.iter() }
                .map(|input| types.get(input.as_ref()?.0 as usize)?.clone())
                .collect();
            let (takes, gives) = self.signature(op, &given);
            for (at, (given, wanted)) in given.iter().zip(takes.iter()).enumerate() {
                let giver = op.inputs.get(at).copied().flatten();
                let giver = giver.and_then(|value| givers.get(value.0 as usize));
                let ends = (giver.map_or("", String::as_str), &*format!("input {at}"));
                self.expect(op, given.as_ref(), wanted.as_ref(), ends);
            }
            for (output, given) in op.outputs.iter().zip(gives.iter()) {
                let at = output.0 as usize;
                let Some(ty) = types.get_mut(at) else { continue };
                let name = givers.get(at).map_or("", String::as_str);
                self.expect(op, given.as_ref(), ty.as_ref(), ("the op", name));
                if ty.is_none() {
                    ty.clone_from(given);
                }
                if let Some(giver) = givers.get_mut(at) {
                    giver.clone_from(&op.name);
                }
            }
        }
        types
    }

    /// Reports a given type that does not fit.
    fn expect(
        &mut self,
        op: &Op,
        given: Option<&PortType>,
        wanted: Option<&PortType>,
        (given_by, wanted_by): (&str, &str),
    ) {
        let (Some(given), Some(wanted)) = (given, wanted) else { return };
        if fits(given, wanted) {
            return;
        }
        let problem = Problem::Mismatch {
            given: given.clone(),
            given_by: given_by.to_owned(),
            wanted: wanted.clone(),
            wanted_by: wanted_by.to_owned(),
        };
        self.report(op, problem);
    }

    fn report(&mut self, op: &Op, problem: Problem) {
        let (module, prefix) = self.place;
        self.found.report(Step::Infer, module, format!("{prefix}{}", op.name), problem);
    }

    /// What the op takes and gives, as far as that can be told.
    fn signature(&mut self, op: &Op, given: &Types) -> Known<'a> {
        let owned = |takes: Types, gives: Types| (takes.into(), gives.into());
        let nothing = || owned(Types::new(), Types::new());
        match &op.kind {
            OpKind::Component { slot, op } => {
                let component = self.around.component(self.draft, slot);
                let Some(signature) = component.and_then(|kind| kind.signature(op)) else {
                    return nothing();
                };
                let known = |types: &[PortType]| types.iter().cloned().map(Some).collect();
                owned(known(&signature.inputs), known(&signature.outputs))
            }
            OpKind::Call { module } => match self.signatures.get(module) {
                Some((takes, gives)) => (takes.into(), gives.into()),
                None => nothing(),
            },
            OpKind::Syscall(name) if name == CHANNEL => owned(Types::new(), given.clone()),
            OpKind::Syscall(name) => match syscall(name) {
                Some(row) => {
                    let (takes, gives) = self.request(row, op, given);
                    owned(takes, gives)
                }
                None => nothing(),
            },
            OpKind::Constant => owned(Types::new(), vec![op.attributes.get("value").map(type_of)]),
            OpKind::Tensor { .. } => {
                let tensor = || Some(PortType::Tensor(TensorType::default()));
                owned(Types::new(), op.outputs.iter().map(|_| tensor()).collect())
            }
        }
    }

    fn request(&mut self, row: &Syscall, op: &Op, given: &Types) -> (Types, Types) {
        for (name, ty) in row.attributes {
            let refused = op.attributes.get(*name).map(|value| ty.accepts(value));
            if let Some(Err(source)) = refused {
                let name = (*name).to_owned();
                self.report(op, Problem::AttributeType { name, source });
            }
        }
        let takes = (0..given.len()).map(|at| row.input(at).cloned()).collect();
        let gives = (0..op.outputs.len()).map(|at| match row.output(at)? {
            SysOut::Of(ty) => Some(ty.clone()),
            SysOut::List => Some(PortType::list(PortType::Any)),
            SysOut::Same(at) => given.get(*at).cloned().flatten(),
            SysOut::Common => common(given),
            SysOut::Items => match given.first() {
                Some(Some(PortType::List(items))) => Some((**items).clone()),
                _ => Some(PortType::Any),
            },
            SysOut::Event => requests::event_type(op),
            SysOut::Gathered => Some(PortType::list(gathered(given))),
        });
        (takes, gives.collect())
    }
}

/// The type that all of these are, `Any` if they differ.
fn common(given: &[Option<PortType>]) -> Option<PortType> {
    let first = given.iter().flatten().next()?;
    let all = given.iter().flatten().all(|ty| ty == first);
    Some(if all { first.clone() } else { PortType::Any })
}

/// What each sender is to a gather of a round and these values.
fn gathered(given: &[Option<PortType>]) -> PortType {
    let any = |ty: Option<PortType>| ty.unwrap_or(PortType::Any);
    match given {
        [_, value] => any(value.clone()),
        [_, values @ ..] => PortType::list(any(common(values))),
        [] => PortType::Any,
    }
}

/// The narrowest type of a port that this value can enter.
fn type_of(value: &Value) -> PortType {
    match value {
        Value::Unit => PortType::Unit,
        Value::Bool(_) => PortType::Bool,
        Value::I64(_) => PortType::I64,
        Value::U64(_) => PortType::U64,
        Value::F64(_) => PortType::F64,
        Value::Text(_) => PortType::Text,
        Value::Bytes(_) => PortType::Bytes,
        Value::Peer(_) => PortType::Peer,
        Value::Address(_) => PortType::Address,
        Value::List(list) => {
            let items: Types = list.items().iter().map(|item| Some(type_of(item))).collect();
            PortType::list(common(&items).unwrap_or(PortType::Any))
        }
        Value::Record(_) => PortType::Record,
        Value::Tensor(tensor) => {
            PortType::tensor(tensor.dtype(), tensor.shape().iter().map(|dim| Some(*dim)))
        }
        Value::Native(native) => PortType::Native(native.native_type().id().clone()),
    }
}

/// Whether some value of the one type is also of the other; the rest is asked when it flows.
fn fits(given: &PortType, wanted: &PortType) -> bool {
    match (given, wanted) {
        (PortType::Any, _) | (_, PortType::Any) => true,
        (PortType::List(given), PortType::List(wanted)) => fits(given, wanted),
        (PortType::Tensor(given), PortType::Tensor(wanted)) => bounds_fit(given, wanted),
        _ => given == wanted,
    }
}

fn bounds_fit(given: &TensorType, wanted: &TensorType) -> bool {
    let agree = |given: Option<u64>, wanted: Option<u64>| {
        given.zip(wanted).is_none_or(|(given, wanted)| given == wanted)
    };
    let dtypes = given.dtype.zip(wanted.dtype).is_none_or(|(given, wanted)| given == wanted);
    let shapes = given.shape.as_ref().zip(wanted.shape.as_ref());
    dtypes
        && shapes.is_none_or(|(given, wanted)| {
            given.len() == wanted.len()
                && given.iter().zip(wanted).all(|(given, wanted)| agree(*given, *wanted))
        })
}
