//! The door for clients that may ask again.
//!
//! Law: whatever is repeated, over retries, crashes and replays, a request that the Node remembers
//! is carried out once, and its first answer is told each time that it is asked for.

use super::{Node, refused::given_name};
use crate::{
    error::{AppIngressSource, DeliveryError},
    event::{IngressEvent, InvokeAs},
    framework::ClientId,
    value::IntoValue,
};

impl Node {
    /// Offers inputs of one module as request number `request` of a client, which counts its
    /// requests from 1.
    ///
    /// What comes of it is told as [`Answered`](crate::step::EngineStep::Answered) when the
    /// execution has ended, and once more whenever the request is repeated: a second execution
    /// never begins. What is not answered is told as
    /// [`Unanswered`](crate::step::EngineStep::Unanswered).
    ///
    /// ```
    /// use samsara_runtime::{
    ///     compiler::Compiler, config::NodeConfig, framework::ClientId, graph::Graph, node::install,
    ///     step::EngineStep, time::Nanos,
    /// };
    ///
    /// let g = Graph::new("Echo");
    /// g.output("said", g.input::<String>("text"));
    /// let program = Compiler::new().compile(g.build()?)?;
    /// let mut node = install(1.into(), [], &program, &["Echo"], NodeConfig::default())?;
    ///
    /// let client = ClientId([7; 16]);
    /// let mut ask = |text: &str| {
    ///     node.invoke_as(client, 1, "Echo", [("text", text)])?;
    ///     let steps = node.run_until_idle(Nanos::ZERO);
    ///     Ok::<_, Box<dyn std::error::Error>>(steps.0.last().cloned())
    /// };
    /// let first = ask("hello")?;
    /// assert!(matches!(&first, Some(EngineStep::Answered { .. })));
    /// assert_eq!(ask("it is asked again")?, first);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invoke_as<'n, V: IntoValue>(
        &mut self,
        client: ClientId,
        request: u64,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<(), DeliveryError> {
        let mut given = 0;
        let checked = self.invoke_inputs(module, inputs.into_iter().inspect(|_| given += 1));
        let admitted = checked.and_then(|(module, inputs, bytes)| {
            self.admit(bytes, |exec| {
                let asked = InvokeAs { client, request, exec, module, inputs };
                IngressEvent::InvokeAs(Box::new(asked))
            })
        });
        if let Err(error) = &admitted {
            let (module, input_count) = (given_name(module), given);
            self.note_refusal(error, || AppIngressSource::Invoke { module, input_count });
        }
        admitted.map(|_| ())
    }
}
