//! What is written is read, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    error::{OpError, OpErrorKind},
    rng::Rng,
    time::seconds,
    value::Value,
};

fn there_and_back<T: Saved + PartialEq + std::fmt::Debug>(thing: &T) {
    let bytes = to_bytes(thing);
    let types = Types::default();
    assert_eq!(from_bytes::<T>(&bytes, &types).as_ref(), Ok(thing));
    for end in 0..bytes.len() {
        assert!(from_bytes::<T>(&bytes.slice(..end), &types).is_err(), "cut at {end}");
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert!(from_bytes::<T>(&longer.into(), &types).is_err(), "one byte more");
}

#[test]
fn what_is_written_is_read_and_no_shorter_or_longer_bytes_are() {
    there_and_back(&(7_u64, true, -3_i64));
    there_and_back(&vec![Some("text".to_owned()), None]);
    there_and_back(&BTreeMap::from([(1_u8, seconds(2)), (3, seconds(4))]));
    there_and_back(&BTreeSet::from([1_u16, 9]));
    there_and_back(&OpError::new(OpErrorKind::Lost, "its life has ended"));
    let mut rng = Rng::from_seed(5);
    rng.next_u64();
    there_and_back(&rng);
    let record = Value::record([("n", Value::U64(1)), ("t", Value::from("x"))]);
    there_and_back(&record.expect("it is flat"));
}

#[test]
fn a_length_without_bytes_behind_it_reserves_nothing() {
    let bytes = to_bytes(&u64::MAX);
    let found = from_bytes::<Vec<u64>>(&bytes, &Types::default());
    assert_eq!(found, Err(Unreadable::Truncated { what: "row" }));
}

#[test]
fn a_map_out_of_order_is_refused() {
    let bytes = to_bytes(&vec![(2_u8, 0_u8), (1, 0)]);
    assert!(from_bytes::<Vec<(u8, u8)>>(&bytes, &Types::default()).is_ok());
    assert!(from_bytes::<BTreeMap<u8, u8>>(&bytes, &Types::default()).is_err());
}
