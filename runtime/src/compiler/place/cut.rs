//! One module, cut into one for each of its places.
//!
//! Law: every op but a channel's goes to one part, in the order in which it stood; a constant that
//! was recorded at no place goes wherever it is read.

use std::collections::{BTreeMap, BTreeSet};

use crate::module::{
    Activation, Body, CHANNEL, Channel, Diagnostics, MAIN_PLACE, Module, Op, OpKind, PlaceProblem,
    Placement, Port, Reach, Step, ValueId, ValueInfo, part_name, port_names,
};
use crate::{framework::Delivery, schema::PortType, value::Value};

/// What a module becomes.
pub(super) struct Cut {
    pub(super) parts: Vec<Module>,
    pub(super) channels: Vec<Channel>,
}

/// The part that holds what is at this place, or at none.
pub(super) fn part_of(module: &str, place: Option<&String>) -> String {
    part_name(module, place.map_or(MAIN_PLACE, String::as_str))
}

pub(super) fn cut(
    module: &Module,
    body: &Placement,
    bootstrap: &Placement,
    found: &mut Diagnostics,
) -> Cut {
    let (name, prefix) = (module.name.as_str(), "");
    let mut map = Map::of(name, prefix, &module.body, body, found);
    map.check_crossings(found);
    let first = module.bootstrap.as_ref().map(|body| {
        let map = Map::of(name, "bootstrap/", body, bootstrap, found);
        map.check_crossings(found);
        if let Some(channel) = map.channels.values().next() {
            let subject = format!("bootstrap/{}", channel.name);
            found.report(Step::Place, name, subject, PlaceProblem::ChannelInBootstrap.into());
        }
        map
    });
    let mut places = map.places();
    places.extend(first.iter().flat_map(Map::places));
    let parts = places.into_iter().map(|place| {
        let first = first.as_ref().map(|map| map.part(place));
        Module {
            name: part_name(name, place),
            body: map.part(place),
            bootstrap: first.filter(|body| *body != Body::default()),
        }
    });
    let parts = parts.collect();
    Cut { parts, channels: std::mem::take(&mut map.channels).into_values().collect() }
}

/// A body and where everything in it is.
struct Map<'a> {
    module: &'a str,
    prefix: &'static str,
    body: &'a Body,
    placement: &'a Placement,
    /// By the place of their ops in the body.
    channels: BTreeMap<usize, Channel>,
    /// Where each value is; what is not here is everywhere.
    homes: BTreeMap<ValueId, &'a str>,
}

impl<'a> Map<'a> {
    fn of(
        module: &'a str,
        prefix: &'static str,
        body: &'a Body,
        placement: &'a Placement,
        found: &mut Diagnostics,
    ) -> Self {
        let mut map = Map {
            module,
            prefix,
            body,
            placement,
            channels: BTreeMap::new(),
            homes: BTreeMap::new(),
        };
        for (at, op) in body.ops.iter().enumerate().filter(|(_, op)| is_channel(op)) {
            match channel(module, body, op) {
                Some(channel) => {
                    map.channels.insert(at, channel);
                }
                None => {
                    let (name, what) = (op.name.clone(), "its ends".to_owned());
                    let subject = format!("{prefix}{}", op.name);
                    found.report(
                        Step::Place,
                        module,
                        subject,
                        PlaceProblem::BadChannel { name, what }.into(),
                    );
                }
            }
        }
        let inputs = body.inputs.iter().map(|port| (port.value, map.input_place(port)));
        map.homes.extend(inputs.collect::<Vec<_>>());
        for (at, op) in body.ops.iter().enumerate() {
            let home = match &op.kind {
                OpKind::Syscall(name) if name == CHANNEL => text(op, "to"),
                _ => map.op_place(at, op),
            };
            map.homes.extend(
                home.into_iter()
                    .flat_map(|home| op.outputs.iter().map(move |value| (*value, home))),
            );
        }
        map
    }

    fn input_place(&self, port: &Port) -> &'a str {
        self.placement.inputs.get(&port.name).map_or(MAIN_PLACE, String::as_str)
    }

    fn output_place(&self, port: &Port) -> &'a str {
        self.placement.outputs.get(&port.name).map_or(MAIN_PLACE, String::as_str)
    }

    /// Where an op reads; `None` is everywhere.
    fn op_place(&self, at: usize, op: &'a Op) -> Option<&'a str> {
        if self.channels.contains_key(&at) {
            return text(op, "from");
        }
        match (self.placement.ops.get(&op.name), &op.kind) {
            (Some(place), _) => Some(place),
            (None, OpKind::Constant) => None,
            (None, _) => Some(MAIN_PLACE),
        }
    }

    fn places(&self) -> BTreeSet<&'a str> {
        let body = self.body;
        let ops = body.ops.iter().enumerate().filter_map(|(at, op)| self.op_place(at, op));
        let inputs = body.inputs.iter().map(|port| self.input_place(port));
        let outputs = body.outputs.iter().map(|port| self.output_place(port));
        ops.chain(inputs).chain(outputs).chain(self.homes.values().copied()).collect()
    }

    /// Reports every value that is read where it is not.
    fn check_crossings(&self, found: &mut Diagnostics) {
        let ops = self.body.ops.iter().enumerate().flat_map(|(at, op)| {
            let place = self.op_place(at, op).unwrap_or(MAIN_PLACE);
            op.inputs.iter().flatten().map(move |value| (*value, op.name.as_str(), place))
        });
        let outputs = self.body.outputs.iter();
        let outputs = outputs.map(|port| (port.value, port.name.as_str(), self.output_place(port)));
        for (value, reader, to) in ops.chain(outputs) {
            let Some(from) = self.homes.get(&value).filter(|home| **home != to) else { continue };
            let name = self.body.value(value).map(|info| info.name.clone());
            let problem = PlaceProblem::Crosses {
                value: name.unwrap_or_default(),
                from: (*from).to_owned(),
                reader: reader.to_owned(),
                to: to.to_owned(),
            };
            found.report(
                Step::Place,
                self.module,
                format!("{}{reader}", self.prefix),
                problem.into(),
            );
        }
    }

    /// What of the body is at this place.
    fn part(&self, place: &'a str) -> Body {
        let mut part = Part { body: self.body, made: Body::default(), known: BTreeMap::new() };
        let inputs = self.body.inputs.iter().filter(|port| self.input_place(port) == place);
        inputs.for_each(|port| part.input(port.name.clone(), port.value));
        for (at, op) in self.body.ops.iter().enumerate() {
            if let Some(channel) = self.channels.get(&at).filter(|channel| channel.to == place) {
                let ports = port_names(&channel.name, op.outputs.len());
                ports.zip(&op.outputs).for_each(|(port, value)| part.input(port, *value));
            }
            match (self.channels.get(&at), self.op_place(at, op)) {
                (Some(channel), Some(home)) if home == place => part.send(channel, op),
                (Some(_), _) => {}
                (None, Some(home)) if home == place => part.op(op),
                (None, None) if self.is_read_at(op, place) => part.op(op),
                (None, _) => {}
            }
        }
        let outputs = self.body.outputs.iter().filter(|port| self.output_place(port) == place);
        outputs.for_each(|port| part.output(port));
        part.made
    }

    fn is_read_at(&self, constant: &Op, place: &str) -> bool {
        let is_its = |value: &ValueId| constant.outputs.contains(value);
        let reads = |(at, op): (usize, &'a Op)| {
            self.op_place(at, op) == Some(place) && op.inputs.iter().flatten().any(is_its)
        };
        let leaves = |port: &Port| self.output_place(port) == place && is_its(&port.value);
        self.body.ops.iter().enumerate().any(reads) || self.body.outputs.iter().any(leaves)
    }
}

/// The body of a part while it is made.
struct Part<'a> {
    body: &'a Body,
    made: Body,
    /// The values of the whole body that the part has, by their numbers in it.
    known: BTreeMap<ValueId, ValueId>,
}

impl Part<'_> {
    fn value(&mut self, whole: ValueId) -> ValueId {
        if let Some(known) = self.known.get(&whole) {
            return *known;
        }
        let info = self.body.value(whole).cloned();
        let id = self.add(info.unwrap_or(ValueInfo { name: String::new(), ty: None }));
        self.known.insert(whole, id);
        id
    }

    fn add(&mut self, info: ValueInfo) -> ValueId {
        let id = ValueId(u32::try_from(self.made.values.len()).unwrap_or(u32::MAX));
        self.made.values.push(info);
        id
    }

    fn input(&mut self, name: String, value: ValueId) {
        let value = self.value(value);
        self.made.inputs.push(Port { name, value });
    }

    fn output(&mut self, port: &Port) {
        let (name, value) = (port.name.clone(), self.value(port.value));
        self.made.outputs.push(Port { name, value });
    }

    fn op(&mut self, op: &Op) {
        let inputs = op.inputs.iter().map(|input| input.map(|value| self.value(value))).collect();
        let outputs = op.outputs.iter().map(|value| self.value(*value)).collect();
        self.made.ops.push(Op { inputs, outputs, ..op.clone() });
    }

    /// The sending end of a channel: who is there is asked when there is something to send.
    fn send(&mut self, channel: &Channel, op: &Op) {
        let inputs: Vec<_> =
            op.inputs.iter().map(|input| input.map(|value| self.value(value))).collect();
        let is_taken = |name: &str| {
            let body = self.body;
            body.values.iter().any(|value| value.name == name)
                || body.ops.iter().any(|op| op.name == name)
        };
        let mut name = format!("{}.peers", channel.name);
        while is_taken(&name) {
            name.push('+');
        }
        let ty = Some(PortType::list(PortType::Any));
        let peers = self.add(ValueInfo { name: name.clone(), ty });
        let made = |name: String, kind: &str, attributes: &[(&str, String)]| Op {
            name,
            kind: OpKind::Syscall(kind.to_owned()),
            inputs: Vec::new(),
            outputs: Vec::new(),
            activation: Activation::All,
            attributes: { attributes.iter() }
                .map(|(key, text)| ((*key).to_owned(), Value::from(text.as_str())))
                .collect(),
        };
        let who = made(name, "Place.Peers", &[("place", channel.to.clone())]);
        let first = inputs.iter().take(1).copied().collect();
        self.made.ops.push(Op { inputs: first, outputs: vec![peers], ..who });
        let port = format!("{}/{}", channel.receives(), channel.name);
        let class = channel.class.word().to_owned();
        let send = made(op.name.clone(), "NetOut", &[("class", class), ("port", port)]);
        let inputs = std::iter::once(Some(peers)).chain(inputs).collect();
        self.made.ops.push(Op { inputs, ..send });
    }
}

fn is_channel(op: &Op) -> bool {
    matches!(&op.kind, OpKind::Syscall(name) if name == CHANNEL)
}

fn text<'o>(op: &'o Op, key: &str) -> Option<&'o str> {
    match op.attributes.get(key) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// What the op of a channel says of it; `None` if that is not enough to be one.
fn channel(module: &str, body: &Body, op: &Op) -> Option<Channel> {
    let ty = |value: &ValueId| body.value(*value).and_then(|value| value.ty.clone());
    Some(Channel {
        module: module.to_owned(),
        name: op.name.clone(),
        from: text(op, "from")?.to_owned(),
        to: text(op, "to")?.to_owned(),
        class: Delivery::from_word(text(op, "class")?)?,
        reach: Reach::from_word(text(op, "reach")?)?,
        types: op.outputs.iter().map(|value| ty(value).unwrap_or(PortType::Any)).collect(),
    })
}
