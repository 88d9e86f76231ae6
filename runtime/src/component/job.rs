//! Ops that leave their work to a job.
//!
//! Law: the op prepares a request inside the turn and parks; the runner never sees the component,
//! nor anything else of the Node.

use std::{fmt::Display, marker::PhantomData, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    AnyComponent, Component, ErasedHandler, Handler, Ops, Signature,
    handler::{Arguments, own},
};
use crate::{
    codec::{read_body, write_body},
    completion::{Replies, Reply},
    context::Cx,
    error::{OpError, OpErrorKind},
    job::{IdempotencyKey, PendingJob, Resources, Runner},
    schema::PortType,
    value::Value,
};

/// What the first half of a job may return: the request, or a `Result` of it.
pub trait Prepares<Q> {
    /// The request, or why there is none.
    fn request(self) -> Result<Q, OpError>;
}

impl<Q> Prepares<Q> for Q {
    fn request(self) -> Result<Q, OpError> {
        Ok(self)
    }
}

impl<Q, E: Into<OpError>> Prepares<Q> for Result<Q, E> {
    fn request(self) -> Result<Q, OpError> {
        self.map_err(Into::into)
    }
}

/// The first half: an op that parks.
struct Preparing<C, P, Q, Shape> {
    name: Arc<str>,
    prepare: P,
    runner: Arc<dyn Runner>,
    outputs: Vec<PortType>,
    types: PhantomData<fn(C, Q, Shape)>,
}

impl<C, P, Q, Shape> ErasedHandler for Preparing<C, P, Q, Shape>
where
    C: Component,
    P: Handler<C, Shape, Answer: Prepares<Q>>,
    Q: Serialize,
{
    fn call(
        &self,
        component: &mut dyn AnyComponent,
        cx: &mut Cx<'_>,
        arguments: Arguments<'_>,
        _: &mut Vec<Value>,
    ) -> Result<Reply, OpError> {
        let component = own(component)?;
        // First the place for the answer: at the cap the op fails before it has any effect.
        let command = cx.services.await_answer()?;
        let request = self.prepare.call(component, cx, arguments);
        let request = request.and_then(Prepares::request).and_then(|request: Q| {
            let bytes = encode(&request, cx.services.config.state.max_job_request_bytes)?;
            let cap = cx.services.config.state.max_job_bytes;
            if cx.services.stores().jobs.has_room(bytes.len() as u64, cap) {
                return Ok(bytes);
            }
            let reason = format!("no room for more requests of jobs, the cap is {cap} bytes");
            Err(OpError::new(OpErrorKind::Limit, reason))
        });
        let request = match request {
            Ok(request) => request.into(),
            Err(error) => {
                cx.services.note_answer(command);
                return Err(error);
            }
        };
        let job = PendingJob {
            exec: cx.exec,
            op: Arc::clone(cx.op),
            key: IdempotencyKey::of(cx.services.peer, cx.exec, cx.op),
            slot: cx.own_slot(),
            name: Arc::clone(&self.name),
            request,
            is_moot: false,
        };
        cx.services.stores().jobs.start(command, job);
        Ok(Reply::Later(command))
    }

    fn outputs(&self) -> &[PortType] {
        &self.outputs
    }

    fn runner(&self) -> Option<&Arc<dyn Runner>> {
        Some(&self.runner)
    }
}

fn encode<Q: Serialize>(request: &Q, cap: u64) -> Result<Vec<u8>, OpError> {
    let bytes = write_body(request).map_err(bad_request)?;
    if bytes.len() as u64 > cap {
        let reason = format!("its request has {} bytes, the cap is {cap}", bytes.len());
        return Err(OpError::new(OpErrorKind::Limit, reason));
    }
    Ok(bytes)
}

fn bad_request(error: impl Display) -> OpError {
    OpError::new(OpErrorKind::BadRequest, error.to_string())
}

/// The second half, on whatever thread the host runs it.
struct Running<F, Q> {
    run: F,
    request: PhantomData<fn(Q)>,
}

impl<F, Q, R> Runner for Running<F, Q>
where
    F: Fn(Q, &Resources) -> R + Send + Sync,
    Q: DeserializeOwned,
    R: Replies,
{
    fn run(&self, request: &[u8], resources: &Resources) -> Result<Vec<Value>, OpError> {
        let request = read_body(request).map_err(bad_request)?;
        let mut outputs = Vec::new();
        match (self.run)(request, resources).reply(&mut outputs)? {
            Reply::Now => Ok(outputs),
            Reply::Later(_) => {
                Err(OpError::new(OpErrorKind::BadOutput, "a job cannot answer by a promise"))
            }
        }
    }
}

impl<C: Component> Ops<C> {
    /// Declares an op that leaves its work to a [job](crate::job): `prepare` is a handler as for
    /// [`on`](Self::on) that gives the request, and `run` does what it asks for, outside the turn,
    /// with what the host has.
    pub fn job<Shape: 'static, Q, R, P>(
        &mut self,
        name: &'static str,
        prepare: P,
        run: impl Fn(Q, &Resources) -> R + Send + Sync + 'static,
    ) -> &mut Self
    where
        Q: Serialize + DeserializeOwned + 'static,
        R: Replies + 'static,
        P: Handler<C, Shape, Answer: Prepares<Q>>,
    {
        let outputs = R::outputs();
        let signature = Signature { inputs: P::inputs(), outputs: outputs.clone() };
        let runner = Arc::new(Running { run, request: PhantomData });
        let (name_of_job, types) = (Arc::from(name), PhantomData);
        let handler = Preparing { name: name_of_job, prepare, runner, outputs, types };
        self.declare(name, signature, handler)
    }
}
