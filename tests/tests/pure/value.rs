//! Values over all their shapes: what is encoded comes back, what is hostile is refused.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use samsara_proto::{Address, PeerId};
use samsara_runtime::config::ValueConfig;
use samsara_runtime::schema::{DecodeError, Encoded, PortType, TypeTable, decode, encode};
use samsara_runtime::tensor::{Dtype, Tensor, byte_len};
use samsara_runtime::value::{Kind, NativeCodec, TypeId, Value};

/// A native type whose every byte string is legal.
#[derive(Debug)]
struct Blob(Vec<u8>);

impl NativeCodec for Blob {
    const TYPE_ID: TypeId = TypeId::from_static("test.blob@3");

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(&self.0);
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        Ok(Self(bytes.to_vec()))
    }

    fn byte_size(&self) -> u64 {
        self.0.len() as u64
    }
}

fn types() -> TypeTable {
    let mut types = TypeTable::default();
    types.register::<Blob>().expect("the only one");
    types
}

fn tensors() -> impl Strategy<Value = Tensor> {
    (proptest::sample::select(Dtype::ALL), vec(0_u64..5, 0..4)).prop_flat_map(|(dtype, shape)| {
        let len = byte_len(dtype, &shape).expect("a small shape");
        vec(any::<u8>(), len).prop_map(move |elements| {
            Tensor::from_bytes(dtype, &shape, Bytes::from(elements)).expect("as long as its shape")
        })
    })
}

fn values() -> impl Strategy<Value = Value> {
    let memory = |port: u64| format!("/memory/{port}").parse::<Address>().expect("an address");
    let leaf = prop_oneof![
        Just(Value::Unit),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<u64>().prop_map(|bits| Value::F64(f64::from_bits(bits))),
        ".{0,40}".prop_map(Value::from),
        vec(any::<u8>(), 0..200).prop_map(|bytes| Value::from(Bytes::from(bytes))),
        any::<u64>().prop_map(|number| Value::from(PeerId::from(number))),
        any::<u64>().prop_map(move |port| Value::from(memory(port))),
        tensors().prop_map(Value::from),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Value::native_of(Blob(bytes))),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(|items| Value::list(items).expect("shallow")),
            proptest::collection::btree_map(".{0,6}", inner, 0..8)
                .prop_map(|fields| Value::record(fields).expect("no name twice")),
        ]
    })
}

fn decoded(sent: &Encoded) -> Result<Value, DecodeError> {
    let id = sent.type_id.as_str();
    let limits = ValueConfig::default();
    decode(&PortType::Any, id, sent.payload.clone(), &sent.blobs, &types(), &limits)
}

/// A type id of any kind, and one of a native.
fn type_ids() -> impl Strategy<Value = TypeId> {
    let mut ids: Vec<TypeId> = Kind::ALL.iter().map(|kind| kind.type_id()).collect();
    ids.push(Blob::TYPE_ID);
    proptest::sample::select(ids)
}

proptest! {
    #[test]
    fn what_is_encoded_comes_back(value in values()) {
        let sent = encode(&value);
        prop_assert_eq!(decoded(&sent), Ok(value.clone()));
        prop_assert_eq!(PortType::Any.accepts(&value), Ok(()));
    }

    #[test]
    fn equal_values_encode_alike_and_others_do_not(left in values(), right in values()) {
        // A value that came back is equal but shares nothing with the first.
        let twin = decoded(&encode(&left)).expect("it was encoded");
        prop_assert_eq!(encode(&twin), encode(&left));
        prop_assert_eq!(encode(&left) == encode(&right), left == right);
    }

    #[test]
    fn a_clone_is_equal_and_as_large(value in values()) {
        let clone = value.clone();
        prop_assert_eq!(clone.byte_size(), value.byte_size());
        prop_assert_eq!(clone, value);
    }

    #[test]
    fn debug_output_is_bounded(value in values()) {
        let text = format!("{value:?}");
        prop_assert!(text.len() < 2_000);
    }

    #[test]
    fn random_bytes_are_refused_or_encode_to_themselves(
        type_id in type_ids(),
        payload in vec(prop_oneof![0_u8..14, any::<u8>()], 0..64),
        blobs in vec(vec(any::<u8>(), 0..16).prop_map(Bytes::from), 0..3),
    ) {
        let sent = Encoded { type_id, payload: payload.into(), blobs };
        if let Ok(value) = decoded(&sent) {
            let again = encode(&value);
            prop_assert_eq!(&again.type_id, &sent.type_id);
            prop_assert_eq!(decoded(&again), Ok(value));
        }
    }

    #[test]
    fn a_changed_byte_is_refused_or_is_another_value(
        value in values(),
        place in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let mut sent = encode(&value);
        prop_assume!(!sent.payload.is_empty());
        let mut payload = sent.payload.to_vec();
        let at = place.index(payload.len());
        payload[at] ^= flip;
        sent.payload = payload.into();
        // A tensor's header is ONNX protobuf, which has more than one spelling of a message.
        if let Ok(other) = decoded(&sent) && sent.blobs.is_empty() {
            prop_assert_ne!(other, value);
        }
    }

    #[test]
    fn every_part_of_an_encoding_is_needed(value in values(), place in any::<prop::sample::Index>()) {
        let sent = encode(&value);
        prop_assume!(matches!(value, Value::List(_) | Value::Record(_) | Value::Tensor(_)));
        let payload = sent.payload.slice(..place.index(sent.payload.len()));
        let cut = Encoded { payload, ..sent };
        prop_assert!(decoded(&cut).is_err());
    }
}
