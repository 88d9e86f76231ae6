//! Courses that a delivery once did not come through, kept as they were found.

use super::host::Cut;
use super::world::{Move, World};

/// Makes the moves, ends all faults, and holds what came of it against what was said.
fn run(count: usize, moves: impl IntoIterator<Item = Move>) {
    let mut world = World::new(count);
    moves.into_iter().for_each(|what| world.make(what));
    world.settle();
    world.judge();
}

const fn order(at: usize, to: usize) -> Move {
    Move::Order { at, to, hops: 0, size: 1 }
}

const fn turn(at: usize) -> Move {
    Move::Turn { at, events: 0 }
}

const fn flow(link: usize, frames: usize) -> Move {
    Move::Flow { link, frames }
}

#[test]
fn a_ghost_does_not_end_a_stream() {
    run(
        3,
        [
            order(2, 0),
            order(2, 2),
            order(2, 0),
            turn(2),
            Move::Join(1394654177101778272),
            Move::Poll(2),
            flow(7736101507409699782, 1),
            Move::Poll(3),
            turn(2),
            flow(17929064896242244549, 1),
            Move::Poll(2),
            order(1, 0),
            order(1, 3),
            Move::Crash { at: 3, cut: Cut::BeforeSync, whole: true },
            order(0, 2),
            turn(0),
            Move::Join(8251857595718047906),
            Move::Poll(0),
            turn(1),
            flow(13429422420071810647, 1),
            Move::Join(889457175204075879),
            Move::Poll(1),
            Move::Poll(2),
            flow(12704765355631869572, 1),
            Move::Ghost { link: 8519220986222477992, frame: 466185679883694716 },
            flow(13696099529030791810, 2),
            Move::Poll(3),
            flow(55341549495168894, 1),
            order(1, 3),
            flow(351529283552100589, 1),
        ],
    );
}
