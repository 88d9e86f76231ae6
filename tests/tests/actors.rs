//! Hosts on real files, threads and tasks: what only they can show.
//!
//! Law: outcomes are asserted, never durations; whatever is waited for is waited for by its word.

mod actors {
    mod bank;
    mod disk;
    mod falls;
    mod hosted;
    mod journal;
    mod kills;
    mod panics;
    mod place;
    mod ractor;
    mod tally;
}
