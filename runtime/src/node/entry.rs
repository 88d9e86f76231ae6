//! The door of a Node: what a host offers, checked before it is admitted.
//!
//! Law: a refusal has no effect but to be counted, and to be told inside the Node if somebody
//! listens for it.

use super::{Node, refused::given_name};
use crate::{
    error::{AppIngressSource, DeliveryError},
    event::{IngressEvent, InputIndex},
    id::ExecId,
    services::check_size,
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
        let Inputs { module, inputs, bytes } = self.invoke_inputs(module, inputs)?;
        self.admit(bytes, |exec| IngressEvent::Invoke { exec, module, inputs })
    }

    /// What an invocation brings, if it may.
    pub(super) fn invoke_inputs<'n, V: IntoValue>(
        &mut self,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<Inputs, DeliveryError> {
        let index = self.services.module(module)?;
        let inputs = inputs.into_iter();
        let mut values = self.list(&inputs, self.config().max_invoke_inputs)?;
        let mut bytes = 0_u64;
        for (name, value) in inputs {
            if values.len() >= self.config().max_invoke_inputs as usize {
                let (count, cap) =
                    (values.len() as u64 + 1, self.config().max_invoke_inputs.into());
                return Err(DeliveryError::TooManyInputs { count, cap });
            }
            let (input, value) = self.services.input(index, module, name, value)?;
            if values.iter().any(|(taken, _)| *taken == input) {
                let (module, input) = (module.to_owned(), name.to_owned());
                return Err(DeliveryError::DuplicateInput { module, input });
            }
            bytes = bytes.saturating_add(value.byte_size());
            values.push((input, value));
        }
        check_size(bytes, self.config().max_invoke_bytes)?;
        Ok(Inputs { module: index, inputs: values, bytes })
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
        let index = self.services.module(module)?;
        let (input, value) = self.services.input(index, module, input, value)?;
        let bytes = value.byte_size();
        check_size(bytes, self.config().max_app_event_bytes)?;
        let input = InputIndex { module: index, input };
        self.admit(bytes, |exec| IngressEvent::AppEvent { exec, input, value })
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

/// What an invocation brings.
pub(super) struct Inputs {
    /// The module in the plan.
    pub(super) module: u32,
    /// The inputs in the module, and what goes there.
    pub(super) inputs: Vec<(u32, Value)>,
    /// What all of that takes.
    pub(super) bytes: u64,
}
