//! The engine by its public door: author a module, install it, feed it, read the steps.

mod engine {
    mod determinism;
    mod door;
    mod flow;
    mod inbound;
    mod later;
    mod oracle;
    mod parts;
    mod peers;
    mod state;
    mod time;
    mod wire;
}
