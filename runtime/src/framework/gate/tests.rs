//! Gates at their permits, in their lines and at their caps.

use super::*;
use crate::framework::waiter;

fn full() -> PeerGate {
    let mut gates = PeerGate::new(2, 2);
    for number in [1, 2] {
        assert_eq!(gates.acquire("g", 2, waiter(number, number)), Ok(Acquired::Granted));
    }
    for number in [3, 4] {
        assert_eq!(gates.acquire("g", 2, waiter(number, number)), Ok(Acquired::Waits));
    }
    gates
}

#[test]
fn a_released_permit_goes_to_whoever_waited_longest() {
    let mut gates = full();
    assert_eq!(gates.release("g", waiter(2, 1).exec), Ok(Some(waiter(3, 3))));
    assert_eq!(gates.release("g", waiter(3, 1).exec), Ok(Some(waiter(4, 4))));
    assert_eq!(gates.release("g", waiter(1, 1).exec), Ok(None));
    assert_eq!(gates.acquire("g", 2, waiter(5, 5)), Ok(Acquired::Granted));
}

#[test]
fn an_execution_that_ends_frees_all_it_held_and_waits_for_nothing() {
    let mut gates = PeerGate::new(4, 4);
    for (gate, waiter) in [("g", waiter(1, 1)), ("g", waiter(1, 2)), ("h", waiter(1, 3))] {
        gates.acquire(gate, 2, waiter).expect("there is room");
    }
    for (exec, command) in [(2, 4), (1, 5), (3, 6)] {
        gates.acquire("g", 2, waiter(exec, command)).expect("there is room");
    }
    assert_eq!(gates.release_all(waiter(1, 1).exec), [waiter(2, 4), waiter(3, 6)]);
    assert_eq!(gates.release_all(waiter(1, 1).exec), []);
    for exec in [2, 3] {
        assert_eq!(gates.release_all(waiter(exec, 1).exec), []);
    }
    assert_eq!((gates.gates.iter().count(), gates.held.len()), (0, 0));
}

#[test]
fn the_waiter_one_over_the_cap_is_refused_and_nothing_changes() {
    let mut gates = full();
    let before = gates.clone();
    let full = CapReached { what: "waiters of a gate", cap: 2 };
    assert_eq!(gates.acquire("g", 2, waiter(5, 5)), Err(full.into()));
    assert_eq!(gates, before);
}

#[test]
fn the_gate_one_over_the_cap_is_refused_until_another_is_idle() {
    let mut gates = PeerGate::new(1, 2);
    gates.acquire("g", 1, waiter(1, 1)).expect("there is room");
    let full = CapReached { what: "gates", cap: 1 };
    assert_eq!(gates.acquire("h", 1, waiter(2, 2)), Err(full.into()));
    gates.release_all(waiter(1, 1).exec);
    assert_eq!(gates.acquire("h", 1, waiter(2, 2)), Ok(Acquired::Granted));
}

#[test]
fn a_gate_keeps_its_number_of_permits_while_it_is_used() {
    let mut gates = full();
    let gate: Arc<str> = "g".into();
    let other = GateError::OtherPermits { gate: Arc::clone(&gate), permits: 2, wanted: 3 };
    assert_eq!(gates.acquire("g", 3, waiter(5, 5)), Err(other));
    assert_eq!(gates.acquire("h", 0, waiter(5, 5)), Err(GateError::NoPermits { gate: "h".into() }));
    let exec = waiter(9, 9).exec;
    assert_eq!(gates.release("g", exec), Err(GateError::NotHeld { gate, exec }));
}

#[test]
fn whoever_left_the_line_is_not_served() {
    let mut gates = full();
    assert!(gates.leave(waiter(3, 3)) && !gates.leave(waiter(3, 3)));
    assert_eq!(gates.waiters("g"), 1);
    assert_eq!(gates.release("g", waiter(1, 1).exec), Ok(Some(waiter(4, 4))));
}
