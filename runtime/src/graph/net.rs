//! What a program says to other Nodes, one method a request.
//!
//! Law: each method records the row of [`syscalls`](super::syscalls) that its comment names.
//!
//! ```
//! use samsara_proto::PeerId;
//! use samsara_runtime::graph::Graph;
//!
//! let g = Graph::new("Ask");
//! let server = g.input::<PeerId>("server");
//! let answer = g.request("Serve/question", server, g.input::<String>("question"));
//! g.output("answer", answer);
//! g.net_out_best_effort("Log/line", server, answer);
//! assert!(g.build().is_ok());
//!
//! let g = Graph::new("Serve");
//! g.reply(g.input::<String>("question"));
//! g.export("question");
//! assert!(g.build().is_ok());
//! ```

use super::{Graph, Wire};
use crate::value::Value;

impl Graph {
    /// Sends the value to the port `module/input` of a peer, or of each of a list of peers. It has
    /// its effect there once, whatever crashes in between (`NetOut`).
    pub fn net_out(&self, port: &str, peers: Wire<'_>, value: Wire<'_>) {
        let attributes = [to_port(port), ("class", "effective".into())];
        let [] = self.ask("NetOut", [peers, value], attributes);
    }

    /// The same for what may be dropped on the way (`NetOut`).
    pub fn net_out_best_effort(&self, port: &str, peers: Wire<'_>, value: Wire<'_>) {
        let attributes = [to_port(port), ("class", "best_effort".into())];
        let [] = self.ask("NetOut", [peers, value], attributes);
    }

    /// Asks the port `module/input` of a peer with a value, and gives the answer. It fails when none
    /// comes in time: within what round trips to the peer take, and no longer than whoever is
    /// behind this execution waits (`Net.Send`).
    pub fn request<'g>(&'g self, port: &str, peer: Wire<'g>, value: Wire<'g>) -> Wire<'g> {
        self.one("Net.Send", [peer, value], [to_port(port)])
    }

    /// Triggered: gives the peer behind the execution, and the number of its request, 0 if it asked
    /// nothing. Fails if no peer is behind it (`Net.Receive`).
    pub fn receive<'g>(&'g self, trigger: Wire<'g>) -> [Wire<'g>; 2] {
        self.ask("Net.Receive", [trigger], [])
    }

    /// Answers the request behind the execution (`Net.Reply`).
    pub fn reply(&self, value: Wire<'_>) {
        let [] = self.ask("Net.Reply", [value], []);
    }

    /// Adds an owner, and an address or a list of them, to a peer (`Peers.Insert`).
    pub fn peers_insert(&self, peer: Wire<'_>, addresses: Wire<'_>) {
        let [] = self.ask("Peers.Insert", [peer, addresses], []);
    }

    /// Gives the addresses of a peer (`Peers.Lookup`).
    pub fn peers_lookup<'g>(&'g self, peer: Wire<'g>) -> Wire<'g> {
        self.one("Peers.Lookup", [peer], [])
    }

    /// Refuses a peer from now on (`Peers.Block`).
    pub fn peers_block(&self, peer: Wire<'_>) {
        let [] = self.ask("Peers.Block", [peer], []);
    }

    /// Refuses a peer no more (`Peers.Unblock`).
    pub fn peers_unblock(&self, peer: Wire<'_>) {
        let [] = self.ask("Peers.Unblock", [peer], []);
    }
}

fn to_port(path: &str) -> (&'static str, Value) {
    ("port", path.into())
}
