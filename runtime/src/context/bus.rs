//! Telling the Node's own modules something.
//!
//! Law: what is told during a call is heard after it, in the bus phase.

use super::Cx;
use crate::{
    bus::{NodeEvent, ReservedPrefix, check_topic},
    value::Value,
};

impl Cx<'_> {
    /// Publishes a value under a topic: the modules that listen for `app.` and this topic hear it.
    ///
    /// ```
    /// use samsara_runtime::{context::Cx, error::OpError, value::Value};
    ///
    /// fn tell(cx: &mut Cx<'_>, total: u64) -> Result<(), OpError> {
    ///     cx.publish_bus("total", Value::U64(total)).map_err(|reserved| reserved.to_string())?;
    ///     Ok(())
    /// }
    /// ```
    pub fn publish_bus(&mut self, topic: &str, value: Value) -> Result<(), ReservedPrefix> {
        check_topic(topic)?;
        if let Some(bus) = &mut self.services.bus {
            bus.publish(Some(self.exec), NodeEvent::App { topic: topic.into(), value });
        }
        Ok(())
    }
}
