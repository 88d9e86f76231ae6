//! The engine by its public door: author a module, install it, feed it, read the steps.

mod engine {
    mod backend;
    mod config;
    mod determinism;
    mod door;
    mod expiry;
    mod flow;
    mod later;
    mod oracle;
    mod parts;
    mod plain_onnx;
    mod role;
    mod state;
    mod syscalls;
    mod time;
}
