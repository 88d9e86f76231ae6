//! What cutting makes of modules with places, and what it refuses.

use std::sync::Arc;

use crate::{
    compiler::Compiler,
    graph::{Graph, Place},
    module::{Body, Diagnostics, Draft, OpKind, PlaceProblem, PortPath, Problem, Step},
    onnx_form::{from_onnx, to_onnx},
    program::Program,
    schema::{PortType, TypeTable},
    time::seconds,
    value::Value,
};

/// Clients send numbers by round, the server gathers three of them and tells all clients.
fn round(record: impl FnOnce(&Graph, Place<'_>, Place<'_>)) -> Draft {
    let g = Graph::new("Round");
    let (server, client) = (g.place("server"), g.place("client"));
    let round = g.at(client).input::<u64>("round");
    let update = g.at(client).pass_through(g.at(client).input::<f64>("update"));
    let seen = g.channel("update").from(client).to(server).send([round, update]);
    let three = g.at(server).gather(seen).by(round).count(3).deadline(seconds(30));
    g.at(server).output("all", three);
    let told = g.channel("model").from(server).to(client).best_effort().broadcast(three);
    g.at(client).output("model", told[0]);
    record(&g, server, client);
    g.build().expect("the form is sound")
}

fn compiled(draft: Draft) -> Program {
    Compiler::new().compile(draft).expect("it is sound")
}

fn refused(draft: Draft) -> Vec<String> {
    let found = Compiler::new().compile(draft).expect_err("it is not sound");
    found.iter().map(ToString::to_string).collect()
}

fn ops(body: &Body) -> Vec<(&str, Vec<&str>)> {
    let value = |id| body.value(id).map_or("", |value| value.name.as_str());
    let inputs = |op: &crate::module::Op| op.inputs.iter().flatten().copied().map(value).collect();
    body.ops.iter().map(|op| (op.name.as_str(), inputs(op))).collect()
}

fn ports(ports: &[crate::module::Port]) -> Vec<&str> {
    ports.iter().map(|port| port.name.as_str()).collect()
}

#[test]
fn each_place_becomes_a_module_and_each_channel_an_op_and_inputs() {
    let program = compiled(round(|_, _, _| {}));
    assert_eq!(program.targets().collect::<Vec<_>>(), ["Round@client", "Round@server"]);
    let [client, server] =
        ["Round@client", "Round@server"].map(|name| &program.modules()[name].body);
    assert_eq!(ports(&client.inputs), ["round", "update", "model"]);
    assert_eq!(ports(&client.outputs), ["model"]);
    assert_eq!(
        ops(client),
        [
            ("PassThrough", vec!["update"]),
            ("update.peers", vec!["round"]),
            ("update", vec!["update.peers", "round", "PassThrough"]),
        ]
    );
    assert_eq!(ports(&server.inputs), ["update:0", "update:1"]);
    assert_eq!(ports(&server.outputs), ["all"]);
    assert_eq!(
        ops(server),
        [
            ("gather.update", vec!["update_2", "update_3"]),
            ("model.peers", vec!["gather.update"]),
            ("model", vec!["model.peers", "gather.update"]),
        ]
    );
    let send = client.ops.last().expect("the sending end");
    let text = |key: &str| send.attributes[key].clone();
    assert_eq!(text("port"), Value::from("Round@server/update"));
    assert_eq!(text("class"), Value::from("effective"));
}

#[test]
fn what_is_received_has_the_types_of_what_is_sent() {
    let program = compiled(round(|_, _, _| {}));
    let list = PortType::list(PortType::F64);
    let signature = |module| program.plan().signature(module).expect("it is a module");
    assert_eq!(signature("Round@server").inputs, [PortType::U64, PortType::F64]);
    assert_eq!(signature("Round@server").outputs, std::slice::from_ref(&list));
    assert_eq!(signature("Round@client").inputs, [PortType::U64, PortType::F64, list.clone()]);
    let channels: Vec<_> = program.channels().collect();
    let [model, update] = channels[..] else { panic!("{channels:?}") };
    assert_eq!((model.types.as_slice(), model.class.word()), (&[list][..], "best_effort"));
    assert_eq!((update.from.as_str(), update.to.as_str()), ("client", "server"));
    assert_eq!([model.reach.word(), update.reach.word()], ["all", "one"]);
}

#[test]
fn receiving_ends_are_exported_and_exports_follow_their_inputs() {
    let program = compiled(round(|g, _, _| g.export("round")));
    let exports: Vec<_> = program.draft().exports.iter().map(PortPath::to_string).collect();
    assert_eq!(
        exports,
        [
            "Round@client/model",
            "Round@client/round",
            "Round@server/update:0",
            "Round@server/update:1"
        ]
    );
}

#[test]
fn a_cut_program_opens_as_itself_and_an_uncut_draft_comes_back() {
    let draft = round(|g, server, _| {
        g.bootstrap(|b| {
            b.at(b.place("client")).emit("up", b.constant(1_u64));
            b.emit("nowhere", b.at(b.place("main")).constant(2_u64));
            let _ = server;
        })
    });
    let back = from_onnx(&to_onnx(&draft), &TypeTable::default());
    assert_eq!(back.as_ref(), Ok(&draft));
    let program = compiled(draft);
    let opened = Program::open(program.bytes().clone(), Arc::clone(program.registry()));
    let opened = opened.expect("it was just sealed");
    assert_eq!(opened.draft(), program.draft());
    assert_eq!(opened.channels().count(), 2);
    let with_bootstrap: Vec<_> = { opened.modules().values() }
        .filter(|module| module.bootstrap.is_some())
        .map(|module| module.name.as_str())
        .collect();
    assert_eq!(with_bootstrap, ["Round@client", "Round@main"]);
}

#[test]
fn a_value_that_crosses_without_a_channel_is_told_with_both_ends() {
    let crossing = refused(round(|g, server, client| {
        let secret = g.at(client).input::<u64>("secret");
        g.at(server).emit("leak", secret);
        g.at(server).output("open", secret);
        g.emit("nowhere", secret);
    }));
    assert_eq!(
        crossing,
        [
            "place: Round/AppEmit: \"secret\" is at \"client\", \"AppEmit\" at \"server\" reads it, \
             and no channel carries it",
            "place: Round/AppEmit_2: \"secret\" is at \"client\", \"AppEmit_2\" at \"main\" reads it, \
             and no channel carries it",
            "place: Round/open: \"secret\" is at \"client\", \"open\" at \"server\" reads it, and no \
             channel carries it",
        ]
    );
}

#[test]
fn a_channel_may_only_be_fed_where_it_sends() {
    let wrong = refused(round(|g, server, client| {
        let n = g.at(server).input::<u64>("n");
        let got = g.channel("back").from(client).to(server).send(n);
        g.at(server).output("got", got[0]);
    }));
    assert_eq!(
        wrong,
        [
            "place: Round/back: \"n\" is at \"server\", \"back\" at \"client\" reads it, and no channel \
          carries it"
        ]
    );
}

#[test]
fn a_constant_of_no_place_is_wherever_it_is_read() {
    let program = compiled(round(|g, server, client| {
        let one = g.constant(1_u64);
        g.at(server).emit("one", one);
        g.at(client).output("one", one);
    }));
    let constants = |module: &str| {
        let ops = &program.modules()[module].body.ops;
        ops.iter().filter(|op| op.kind == OpKind::Constant).count()
    };
    assert_eq!((constants("Round@client"), constants("Round@server")), (1, 1));
    assert!(!program.modules().contains_key("Round@main"));
}

#[test]
fn what_is_at_no_place_is_at_the_main_one() {
    let program = compiled(round(|g, _, _| g.emit("n", g.input::<u64>("n"))));
    assert_eq!(program.modules()["Round@main"].body.ops.len(), 1);
}

#[test]
fn a_program_may_go_round_through_a_channel_and_in_no_other_way() {
    let tune = |types: [PortType; 1]| {
        let g = Graph::new("Tune");
        let (hub, leaf) = (g.place("hub"), g.place("leaf"));
        let (model, [weights]) = g.channel("model").from(hub).to(leaf).ahead(types);
        let better = g.at(leaf).pass_through(weights);
        let [update] = *g.channel("update").from(leaf).to(hub).send(better);
        model.broadcast(g.at(hub).pass_through(update));
        g.build()
    };
    let program = compiled(tune([PortType::F64]).expect("a circle through a channel"));
    let inputs = |module: &str| program.plan().signature(module).expect("it is there").inputs;
    assert_eq!([inputs("Tune@hub"), inputs("Tune@leaf")], [[PortType::F64], [PortType::F64]]);
    // The same circle, if the channel's values said nothing of their types.
    let mut draft = tune([PortType::F64]).expect("a circle through a channel");
    let module = draft.modules.get_mut("Tune").expect("it is there");
    module.body.values.iter_mut().for_each(|value| value.ty = None);
    let cycle = refused(draft);
    assert!(cycle[0].starts_with("validate: Tune/"), "{cycle:?}");
    assert!(cycle[0].contains("a cycle: "), "{cycle:?}");
}

#[test]
fn what_is_sent_must_be_of_the_type_that_was_told_ahead() {
    let g = Graph::new("Wrong");
    let (here, there) = (g.place("here"), g.place("there"));
    let (late, [n]) = g.channel("late").from(here).to(there).ahead([PortType::U64]);
    g.at(there).emit("n", n);
    late.send(g.at(here).input::<String>("text"));
    assert_eq!(
        refused(g.build().expect("the form is sound")),
        ["infer: Wrong/late: the op gives text, late takes u64"]
    );
}

#[test]
fn a_channel_to_its_own_place_is_one_to_peers_there() {
    let g = Graph::new("Gossip");
    let peer = g.place("peer");
    let news = g.at(peer).input::<String>("news");
    let [heard] = *g.channel("talk").from(peer).to(peer).broadcast(news);
    g.at(peer).output("heard", heard);
    let program = compiled(g.build().expect("the form is sound"));
    assert_eq!(program.targets().collect::<Vec<_>>(), ["Gossip@peer"]);
    let body = &program.modules()["Gossip@peer"].body;
    assert_eq!((ports(&body.inputs), body.ops.len()), (vec!["news", "talk"], 2));
}

#[test]
fn names_that_meet_at_a_place_are_refused() {
    let twice = refused(round(|g, server, _| {
        g.at(server).emit("n", g.at(server).input::<u64>("update:0"));
    }));
    assert_eq!(twice, ["validate: Round@server/update:0: 2 inputs bear this name"]);
    let g = Graph::new("Round@client");
    g.emit("n", g.input::<u64>("n"));
    let other = g.build().expect("the form is sound");
    let found = Compiler::new().compile_all([round(|_, _, _| {}), other]);
    let found = found.expect_err("two modules of one name").to_string();
    assert!(found.contains("Round@client: two different modules bear this name"), "{found}");
}

#[test]
fn a_module_with_places_is_not_called_and_one_without_runs_where_its_call_stands() {
    let inner = Graph::new("Inner");
    inner.output("n", inner.pass_through(inner.input::<u64>("n")));
    let inner = inner.build().expect("the form is sound");
    let program = compiled(round(|g, server, _| {
        let [n] = g.at(server).call(&inner, [g.at(server).input::<u64>("n")]);
        g.at(server).output("n", n);
    }));
    let ops = &program.modules()["Round@server"].body.ops;
    assert_eq!(ops.last().map(|op| op.name.as_str()), Some("Inner"));

    let outer = Graph::new("Outer");
    let n = outer.input::<u64>("n");
    let [_, _] = outer.call(&round(|_, _, _| {}), [n, n]);
    let found = refused(outer.build().expect("the form is sound"));
    assert!(
        found.contains(
            &"place: Outer/Round: \"Round\" has places of its own, wanted a module that runs at one \
              place"
                .to_owned()
        ),
        "{found:?}"
    );
}

#[test]
fn a_bootstrap_receives_nothing() {
    let found = refused(round(|g, _, _| {
        g.bootstrap(|b| {
            b.channel("early")
                .from(b.place("server"))
                .to(b.place("client"))
                .send(b.constant(1_u64));
        });
    }));
    assert_eq!(
        found,
        [
            "place: Round/bootstrap/early: a bootstrap cannot receive, wanted the channel in the body"
        ]
    );
}

#[test]
fn a_channel_whose_end_is_gone_is_no_program() {
    let hide = |mut draft: Draft, _: &mut Diagnostics| {
        draft.exports.retain(|path| path.port != "update:1");
        draft
    };
    let found = Compiler::new().stage(Step::Place, hide).compile(round(|_, _, _| {}));
    let found = found.expect_err("its input is hidden");
    let what = "its input Round@server/update:1, exported".to_owned();
    let problem: Problem = PlaceProblem::BadChannel { name: "update".into(), what }.into();
    assert!(found.iter().any(|found| found.problem == problem), "{found}");
}
