//! Places and channels as metadata of the model.
//!
//! Law: names only. What a channel carries is said once, by the inputs that it feeds.

use std::collections::BTreeMap;

use samsara_proto::onnx::StringStringEntryProto;

use super::{OnnxError, entry, join, split, unsupported};
use crate::{
    framework::Delivery,
    module::{Channel, Layout, Module, Placement, PortPath, Reach},
    schema::PortType,
};

/// Before the key of a placement.
const PLACED: &str = "samsara.placed.";
/// Before the module and the name of a channel.
const CHANNEL: &str = "samsara.channel.";

pub(super) fn write(layout: &Layout) -> impl Iterator<Item = StringStringEntryProto> {
    let placed = layout.placed.iter().map(|(key, placement)| {
        let parts =
            [("op", &placement.ops), ("input", &placement.inputs), ("output", &placement.outputs)];
        let words = parts.into_iter().flat_map(|(kind, places)| {
            places.iter().flat_map(move |(name, place)| [kind, name, place])
        });
        entry(format!("{PLACED}{key}"), join(words))
    });
    let channels = layout.channels.values().map(|channel| {
        let Channel { module, name, from, to, class, reach, types } = channel;
        let count = types.len().to_string();
        let words = [from, to, class.word(), reach.word(), count.as_str()];
        entry(format!("{CHANNEL}{module}/{name}"), join(words.into_iter()))
    });
    placed.chain(channels)
}

pub(super) fn read(
    metadata: &[StringStringEntryProto],
    modules: &BTreeMap<String, Module>,
) -> Result<Layout, OnnxError> {
    let mut layout = Layout::default();
    for entry in metadata {
        if let Some(key) = entry.key().strip_prefix(PLACED) {
            let placement = placement(entry.key(), entry.value())?;
            if layout.placed.insert(key.to_owned(), placement).is_some() {
                return Err(OnnxError::Duplicate { what: "placement", name: key.to_owned() });
            }
        } else if let Some(path) = entry.key().strip_prefix(CHANNEL) {
            let channel = channel(path, entry.value(), modules);
            let channel = channel.ok_or_else(|| unsupported(entry.key(), entry.value()))?;
            let path = PortPath { module: channel.module.clone(), port: channel.name.clone() };
            if layout.channels.insert(path, channel).is_some() {
                let name = entry.key().to_owned();
                return Err(OnnxError::Duplicate { what: "channel", name });
            }
        }
    }
    Ok(layout)
}

fn placement(key: &str, text: &str) -> Result<Placement, OnnxError> {
    let mut placement = Placement::default();
    let mut words = split(text);
    while let Some(kind) = words.next() {
        let places = match kind {
            "op" => &mut placement.ops,
            "input" => &mut placement.inputs,
            "output" => &mut placement.outputs,
            kind => return Err(unsupported(key, format!("the place of a {kind:?}"))),
        };
        let (Some(name), Some(place)) = (words.next(), words.next()) else {
            return Err(unsupported(key, "a name without a place"));
        };
        places.insert(name.to_owned(), place.to_owned());
    }
    Ok(placement)
}

/// `None` if the text is none that was written, or an input that the channel feeds is missing.
fn channel(path: &str, text: &str, modules: &BTreeMap<String, Module>) -> Option<Channel> {
    let (module, name) = path.split_once('/')?;
    let words: Vec<_> = split(text).collect();
    let [from, to, class, reach, count] = words[..] else { return None };
    let mut channel = Channel {
        module: module.to_owned(),
        name: name.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        class: Delivery::from_word(class)?,
        reach: Reach::from_word(reach)?,
        types: Vec::new(),
    };
    let body = &modules.get(&channel.receives())?.body;
    let count: usize = count.parse().ok()?;
    // More than there are inputs cannot be meant, and would only make names up.
    let count = (count <= body.inputs.len()).then_some(count)?;
    let ty = |port: String| -> Option<PortType> {
        let input = body.inputs.iter().find(|input| input.name == port)?;
        body.value(input.value)?.ty.clone()
    };
    channel.types = crate::module::port_names(name, count).map(ty).collect::<Option<_>>()?;
    Some(channel)
}
