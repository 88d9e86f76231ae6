//! What recording makes of right and wrong use.

use super::{syscalls::SYSCALLS, *};
use crate::{module::ValueId, time::seconds};

fn mistakes(graph: Graph) -> Vec<String> {
    let found = graph.build().expect_err("it has mistakes");
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn ops_stand_in_the_order_of_recording_with_names_of_their_own() {
    let g = Graph::new("Sum");
    let n = g.input::<u64>("n");
    let first = g.slot("counter").op("add", [n]);
    let second = g.slot("counter").op("add", [first]);
    let [] = g.slot("counter").named("told").op_n("tell", [second]);
    let draft = g.build().expect("it is sound");
    let body = &draft.modules["Sum"].body;
    let names: Vec<_> = body.ops.iter().map(|op| op.name.as_str()).collect();
    assert_eq!(names, ["counter.add", "counter.add_2", "told"]);
    let values: Vec<_> = body.values.iter().map(|value| value.name.as_str()).collect();
    assert_eq!(values, ["n", "counter.add", "counter.add_2"]);
}

#[test]
fn an_op_may_be_recorded_among_the_inputs_of_another() {
    let g = Graph::new("Nested");
    let sum = g.slot("math").op("add", [g.input::<u64>("left"), g.slot("math").op("one", [])]);
    g.output("sum", sum);
    let draft = g.build().expect("it is sound");
    let names: Vec<_> = draft.modules["Nested"].body.ops.iter().map(|op| &op.name).collect();
    assert_eq!(names, ["math.one", "math.add"]);
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_place() {
    let other = Graph::new("Other");
    let stranger = other.input::<u64>("n");
    let g = Graph::new("Wrong");
    let n = g.input::<u64>("n");
    g.input::<u64>("n");
    g.output("sum", g.slot("math").op("add", [n, stranger]));
    g.output("sum", n);
    g.output("nothing", Wire::ABSENT);
    g.output("", n);
    g.bootstrap(|b| {
        b.emit("ready", n);
        b.bootstrap(|_| {});
    });
    assert_eq!(
        mistakes(g),
        [
            "record: Wrong/math.add: wanted a wire of this graph, got one of another",
            "record: Wrong/nothing: wanted a value, got an absent wire",
            "record: Wrong/bootstrap/AppEmit: wanted a wire of this graph, got one of another",
            "record: Wrong/bootstrap: wanted one bootstrap, recorded beside the body",
            "validate: Wrong/n: 2 inputs bear this name",
            "validate: Wrong/sum: 2 outputs bear this name",
            "validate: Wrong: the output name \"\": wanted at least one character",
        ]
    );
}

#[test]
fn an_absent_wire_keeps_its_position_and_a_foreign_one_is_left_out() {
    let g = Graph::new("Optional");
    let n = g.input::<u64>("n");
    g.output("out", g.slot("s").op("maybe", [Wire::ABSENT, n, Wire::ABSENT]));
    let draft = g.build().expect("it is sound");
    let op = draft.modules["Optional"].body.ops.first().expect("it has an op");
    assert_eq!(op.inputs, [None, Some(ValueId(0)), None]);
}

#[test]
fn a_value_that_leaves_twice_leaves_under_two_names() {
    let g = Graph::new("Twice");
    let n = g.input::<u64>("n");
    g.output("first", n);
    g.output("second", n);
    let draft = g.build().expect("it is sound");
    let body = &draft.modules["Twice"].body;
    let values: Vec<_> = body.outputs.iter().map(|port| port.value).collect();
    assert_eq!(values, [ValueId(0), ValueId(1)]);
    assert_eq!(body.ops.len(), 1);
}

#[test]
fn what_is_recorded_at_a_place_is_noted_there() {
    let g = Graph::new("Apart");
    let (here, there) = (g.place("here"), g.place("there"));
    let n = g.at(here).input::<u64>("n");
    let sent = g.at(here).slot("s").op("grow", [n]);
    let [seen] = *g.channel("wire").from(here).to(g.place("there")).send(sent);
    g.at(there).output("seen", seen);
    g.at(there).output("again", seen);
    g.emit("nowhere", g.constant(1_u64));
    let draft = g.build().expect("it is sound");
    let placement = &draft.layout.placed["Apart"];
    let noted = |places: &BTreeMap<String, String>| {
        places.iter().map(|(name, place)| format!("{name} {place}")).collect::<Vec<_>>()
    };
    assert_eq!(noted(&placement.inputs), ["n here"]);
    assert_eq!(noted(&placement.outputs), ["again there", "seen there"]);
    assert_eq!(noted(&placement.ops), ["PassThrough there", "s.grow here"]);
}

#[test]
fn places_of_other_graphs_and_too_many_of_them_are_told() {
    let other = Graph::new("Other");
    let g = Graph::new("Wrong");
    g.at(other.place("there")).emit("n", g.input::<u64>("n"));
    let stray = g.channel("stray").to(other.place("there"));
    stray.send(g.constant(1_u64));
    for number in 0..=PLACES {
        g.place(&format!("place {number}"));
    }
    let wanted = "wanted a place of this graph, of which there may be 256";
    let told = |subject| format!("record: Wrong/{subject}: {wanted}");
    assert_eq!(mistakes(g), ["there", "there", "place 256"].map(told));
}

#[test]
fn a_gather_says_what_it_wants_of_a_channel() {
    let g = Graph::new("Wrong");
    let (n, m) = (g.input::<u64>("n"), g.input::<u64>("m"));
    let seen = g.channel("pairs").send([n, m]);
    g.emit("a", g.gather(seen).by(m).deadline(seconds(1)));
    let stranger = g.constant(1_u64);
    g.emit("b", g.gather(seen).by(stranger).count(1).deadline(seconds(1)));
    let alone = g.channel("alone").send(n);
    g.emit("c", g.gather(alone).count(1).deadline(seconds(1)));
    assert_eq!(
        mistakes(g),
        [
            "record: Wrong/gather.pairs: a gather: wanted a count of at least one sender",
            "record: Wrong/gather.pairs: a gather: wanted the round among what its channel carries",
            "record: Wrong/gather.alone: a gather: wanted a value beside the round",
        ]
    );
}

#[test]
fn a_gather_tells_rounds_apart_by_either_end_of_the_wire() {
    let g = Graph::new("Rounds");
    let (n, m) = (g.input::<u64>("n"), g.input::<u64>("m"));
    let seen = g.channel("pairs").send([n, m]);
    g.emit("sent", g.gather(seen).by(m).count(1).deadline(seconds(1)));
    g.emit("received", g.gather(seen).by(seen[1]).count(1).deadline(seconds(1)));
    g.emit("first", g.gather(seen).count(1).deadline(seconds(1)));
    let draft = g.build().expect("it is sound");
    let gathers =
        draft.modules["Rounds"].body.ops.iter().filter(|op| op.name.starts_with("gather"));
    let inputs: Vec<_> =
        gathers.map(|op| op.inputs.iter().flatten().map(|id| id.0).collect::<Vec<_>>()).collect();
    assert_eq!(inputs, [[3, 2], [3, 2], [2, 3]]);
}

#[test]
fn called_modules_come_along_and_two_of_one_name_do_not_mix() {
    let leaf = |topic: &str| {
        let g = Graph::new("Leaf");
        g.emit(topic, g.input::<u64>("n"));
        g.build().expect("it is sound")
    };
    let middle = Graph::new("Middle");
    let n = middle.input::<u64>("n");
    let [] = middle.call(&leaf("a"), [n]);
    let [] = middle.call(&leaf("a"), [n]);
    let middle = middle.build().expect("it is sound");
    assert_eq!(middle.modules.keys().collect::<Vec<_>>(), ["Leaf", "Middle"]);
    assert_eq!(middle.targets.iter().collect::<Vec<_>>(), ["Middle"]);

    let top = Graph::new("Top");
    let n = top.input::<u64>("n");
    let [] = top.call(&middle, [n]);
    let [] = top.call(&leaf("b"), [n]);
    let [] = top.call(&Draft::default(), [n]);
    assert_eq!(
        mistakes(top)[..2],
        [
            "record: Leaf: two different modules bear this name",
            "record: Top/call: wanted a draft of one target to call, got 0",
        ]
    );
}

#[test]
fn every_request_is_recorded_as_its_row_says() {
    let g = Graph::new("All");
    let (n, by) = (g.input::<u64>("n"), g.input::<i64>("by"));
    g.emit("topic", n);
    let wires = [
        g.pass_through(n),
        g.any([n, by]),
        g.race_indexed([n, by]).1,
        g.race([("n", n), ("by", by)]).1,
        g.deadline_match([("n", n)], seconds(1)).1,
        g.bundle([n, by]),
        g.gate(n, by),
        g.sleep(n, seconds(1)),
        g.after(n, n),
        g.interval(seconds(1)),
        g.pulse(),
        g.clock(n),
        g.rng_u64(n),
        g.flush("held", n),
        g.dequeue("line", n),
        g.acquire("door", 2, n),
        g.release("door", n),
        g.request("Other/port", n, n),
        g.peers_lookup(n),
        g.on_event("app.news"),
        g.on_lifecycle("Shutdown"),
        g.peers_at("elsewhere", n),
        g.gather(g.channel("news").send([n, by])).count(1).deadline(seconds(1)),
    ];
    g.stash("held", n);
    g.enqueue("line", n);
    g.record_as("ring", n);
    g.incr_metric("seen", by);
    g.notify("news", n);
    g.dispatch_bootstrap("Other", n);
    g.net_out("Other/port", n, n);
    g.reply(n);
    g.peers_insert(n, n);
    g.peers_block(n);
    g.peers_unblock(n);
    let pairs = [g.tee(n), g.deadline(n, seconds(1)), g.unbundle(n), g.receive(n)];
    for (at, wire) in wires.into_iter().chain(pairs.into_iter().flatten()).enumerate() {
        g.output(&format!("out{at}"), wire);
    }
    let draft = g.build().expect("it is sound");
    let mut asked = std::collections::BTreeSet::new();
    let ops = draft.modules["All"].body.ops.iter().filter(|op| op.name != "news");
    for op in ops {
        let OpKind::Syscall(name) = &op.kind else { panic!("{op:?} asks nothing") };
        let row = syscalls::syscall(name).expect("a row of the table");
        assert!(row.takes(op.inputs.len()), "{name}");
        assert!(row.gives(op.outputs.len()), "{name}");
        assert_eq!(row.attributes.len(), op.attributes.len(), "{name}");
        for (key, ty) in row.attributes {
            assert_eq!(ty.accepts(&op.attributes[*key]), Ok(()), "{name} {key}");
        }
        asked.insert(row.name);
    }
    assert!(asked.into_iter().eq(SYSCALLS.iter().map(|row| row.name)), "each row has a method");
}
