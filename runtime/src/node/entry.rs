//! The door of a Node: what a host offers, checked before it is admitted.
//!
//! Law: a refusal has no effect but to be counted, and to be told inside the Node if somebody
//! listens for it.

use super::{Node, refused::given_name};
use crate::{
    error::{AppIngressSource, DeliveryError},
    event::{IngressEvent, InputIndex},
    id::ExecId,
    module::part_name,
    value::{IntoValue, Value},
};

impl Node {
    /// Offers several inputs of one module, in one execution.
    pub fn invoke<'n, V: IntoValue>(
        &mut self,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<ExecId, DeliveryError> {
        let mut inputs = inputs.into_iter();
        let mut given = 0;
        let admitted = self.admit_invoke(module, inputs.by_ref().inspect(|_| given += 1));
        if let Err(error) = &admitted {
            // Those that were not looked at any more count too, as far as they would be taken.
            let rest = inputs.take(self.config().max_invoke_inputs as usize).count() as u64;
            self.note_refusal(error, || AppIngressSource::Invoke {
                module: given_name(module),
                input_count: given + rest,
            });
        }
        admitted
    }

    fn admit_invoke<'n, V: IntoValue>(
        &mut self,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<ExecId, DeliveryError> {
        let (module, inputs, bytes) = self.invoke_inputs(module, inputs)?;
        self.admit(bytes, |exec| IngressEvent::Invoke { exec, module, inputs })
    }

    /// The module, and what goes to its inputs with its size, if an invocation may have that.
    pub(super) fn invoke_inputs<'n, V: IntoValue>(
        &self,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<(u32, Vec<(u32, Value)>, u64), DeliveryError> {
        let index = self.module(module)?;
        let mut values = Vec::new();
        let mut bytes = 0_u64;
        for (name, value) in inputs {
            if values.len() >= self.config().max_invoke_inputs as usize {
                let (count, cap) =
                    (values.len() as u64 + 1, self.config().max_invoke_inputs.into());
                return Err(DeliveryError::TooManyInputs { count, cap });
            }
            let (input, value) = self.input(index, module, name, value)?;
            if values.iter().any(|(taken, _)| *taken == input) {
                let (module, input) = (module.to_owned(), name.to_owned());
                return Err(DeliveryError::DuplicateInput { module, input });
            }
            bytes = bytes.saturating_add(value.byte_size());
            values.push((input, value));
        }
        check_size(bytes, self.config().max_invoke_bytes)?;
        Ok((index, values, bytes))
    }

    /// Offers one input, in an execution of its own.
    pub fn deliver_event(
        &mut self,
        module: &str,
        input: &str,
        value: impl IntoValue,
    ) -> Result<ExecId, DeliveryError> {
        let admitted = self.admit_event(module, input, value);
        if let Err(error) = &admitted {
            self.note_refusal(error, || AppIngressSource::AppEvent {
                module: given_name(module),
                input: given_name(input),
            });
        }
        admitted
    }

    fn admit_event(
        &mut self,
        module: &str,
        input: &str,
        value: impl IntoValue,
    ) -> Result<ExecId, DeliveryError> {
        let index = self.module(module)?;
        let (input, value) = self.input(index, module, input, value)?;
        let bytes = value.byte_size();
        check_size(bytes, self.config().max_app_event_bytes)?;
        let input = InputIndex { module: index, input };
        self.admit(bytes, |exec| IngressEvent::AppEvent { exec, input, value })
    }

    fn module(&self, module: &str) -> Result<u32, DeliveryError> {
        let find = |name: &str| {
            self.program.plan().module(name).filter(|index| self.targets.contains(index))
        };
        let found = find(module).or_else(|| find(&part_name(module, self.place()?)));
        found.ok_or_else(|| DeliveryError::UnknownModule {
            module: module.to_owned(),
            available: self.loaded_modules().map(str::to_owned).collect(),
        })
    }

    fn input(
        &self,
        index: u32,
        module: &str,
        input: &str,
        value: impl IntoValue,
    ) -> Result<(u32, Value), DeliveryError> {
        let plan = self.program.plan().modules.get(index as usize);
        let found = plan.and_then(|plan| {
            let at = plan.input(input)?;
            Some((at, plan.inputs.get(at as usize)?))
        });
        let Some((at, port)) = found else {
            let ports = plan.map_or(&[][..], |plan| &plan.inputs);
            return Err(DeliveryError::UnknownInput {
                module: module.to_owned(),
                input: input.to_owned(),
                available: ports.iter().map(|port| port.name.as_ref().to_owned()).collect(),
            });
        };
        let mismatch = |expected: String, got: String| DeliveryError::TypeMismatch {
            module: module.to_owned(),
            input: input.to_owned(),
            expected,
            got,
        };
        let value = value
            .into_value()
            .map_err(|nested| mismatch(port.ty.to_string(), nested.to_string()))?;
        match port.ty.accepts(&value) {
            Ok(()) => Ok((at, value)),
            Err(wrong) => Err(mismatch(wrong.expected.into_owned(), wrong.got.into_owned())),
        }
    }

    pub(super) fn admit(
        &mut self,
        bytes: u64,
        event: impl FnOnce(ExecId) -> IngressEvent,
    ) -> Result<ExecId, DeliveryError> {
        let mut admissions = self.admissions.clone();
        let exec = admissions.mint()?;
        self.handle.try_push(event(exec), bytes).map_err(|refused| refused.refusal)?;
        self.admissions = admissions;
        Ok(exec)
    }
}

pub(super) fn check_size(byte_count: u64, cap: u64) -> Result<(), DeliveryError> {
    if byte_count > cap { Err(DeliveryError::OversizePayload { byte_count, cap }) } else { Ok(()) }
}
