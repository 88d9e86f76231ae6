//! Tests of what hosts and peers may send.

use super::*;
use crate::schema::encode;
use crate::tensor::{Dtype, Tensor};
use crate::value::NativeCodec;

#[derive(Debug)]
struct Even(u8);

impl NativeCodec for Even {
    const TYPE_ID: TypeId = TypeId::from_static("even@1");

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        match bytes {
            [byte] if byte % 2 == 0 => Ok(Self(*byte)),
            _ => Err("wanted one even byte".to_owned()),
        }
    }

    fn byte_size(&self) -> u64 {
        1
    }
}

fn types() -> TypeTable {
    let mut types = TypeTable::default();
    types.register::<Even>().expect("the only one");
    types
}

fn any(type_id: &str, payload: &[u8]) -> Result<Value, DecodeError> {
    let payload = Bytes::copy_from_slice(payload);
    decode(&PortType::Any, type_id, payload, &[], &types(), &ValueConfig::default())
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::U64(1), |value, _| Value::list(vec![value]).expect("within the cap"))
}

fn every_kind() -> Value {
    let address: Address = "/memory/7".parse().expect("an address");
    let tensor = |number: f32| Value::from(Tensor::scalar(number).expect("memory"));
    let fields = [
        ("unit", Value::Unit),
        ("bool", Value::Bool(true)),
        ("i64", Value::I64(-5)),
        ("u64", Value::U64(u64::MAX)),
        ("f64", Value::F64(f64::NAN)),
        ("text", Value::from("größe")),
        ("bytes", Value::from(Bytes::from(vec![7; 300]))),
        ("peer", Value::from(PeerId::from(12))),
        ("address", Value::from(address)),
        ("list", Value::list(vec![tensor(1.0), nested(3), tensor(2.0)]).expect("shallow")),
        ("record", Value::record([("", Value::Unit)]).expect("shallow")),
        ("native", Value::native_of(Even(8))),
    ];
    Value::record(fields).expect("shallow")
}

#[test]
fn every_kind_of_value_comes_back() {
    let value = every_kind();
    let Value::Record(record) = &value else { panic!("it is a record") };
    let inner = record.fields().iter().map(|(_, inner)| inner);
    for value in inner.chain([&value]) {
        let sent = encode(value);
        let id = sent.type_id.as_str();
        let limits = ValueConfig::default();
        let got = decode(&PortType::Any, id, sent.payload, &sent.blobs, &types(), &limits);
        assert_eq!(got.as_ref(), Ok(value));
    }
}

#[test]
fn the_encoding_is_frozen() {
    let value = Value::list(vec![Value::Unit, Value::Bool(true), Value::from("ab")]);
    let sent = encode(&value.expect("shallow"));
    assert_eq!(sent.type_id.as_str(), "list@1");
    assert_eq!(sent.payload.as_ref(), [3, 0, 0, 1, 1, 1, 5, 2, b'a', b'b']);
    let sent = encode(&Value::record([("k", Value::native_of(Even(4)))]).expect("shallow"));
    assert_eq!(sent.payload.as_ref(), b"\x01\x01k\x0c\x08\x06even@1\x04");
    assert_eq!(encode(&Value::I64(-2)).payload.as_ref(), (-2_i64).to_le_bytes());
    let sent = encode(&Value::from(Tensor::from_slice(&[2], &[1_u8, 2]).expect("it fits")));
    assert_eq!(
        sent.payload.as_ref(),
        b"\x08\x02\x10\x02\x6a\x0c\x0a\x07segment\x12\x010\x6a\x0b\x0a\x06offset\x12\x010\
          \x6a\x0b\x0a\x06length\x12\x012\x70\x01"
    );
    assert_eq!(sent.blobs, [Bytes::from_static(&[1, 2])]);
}

#[test]
fn every_truncation_is_refused() {
    let value = every_kind();
    let sent = encode(&value);
    let limits = ValueConfig::default();
    for end in 0..sent.payload.len() {
        let id = sent.type_id.as_str();
        let cut = sent.payload.slice(..end);
        decode(&PortType::Any, id, cut, &sent.blobs, &types(), &limits).expect_err("a part");
    }
}

#[test]
fn each_fault_is_named_with_its_place() {
    let cases: [(&str, &[u8], DecodeError); 18] = [
        ("unit@1", &[0], DecodeError::TrailingBytes { left: 1, at: 0 }),
        ("bool@1", &[2], DecodeError::Bool { got: 2, at: 0 }),
        ("bool@1", &[], DecodeError::Truncated { wanted: 1, left: 0, at: 0 }),
        ("u64@1", &[0; 7], DecodeError::Truncated { wanted: 8, left: 7, at: 0 }),
        ("i64@1", &[0; 9], DecodeError::TrailingBytes { left: 1, at: 8 }),
        ("text@1", b"ab\xff", DecodeError::Text { at: 2 }),
        ("list@1", &[1, 13, 0], DecodeError::Tag { got: 13, at: 1 }),
        ("list@1", &[1, 0, 1], DecodeError::Truncated { wanted: 1, left: 0, at: 3 }),
        ("list@1", &[1, 0, 0, 9], DecodeError::TrailingBytes { left: 1, at: 3 }),
        ("list@1", &[0x80, 0], DecodeError::Varint { at: 0 }),
        ("list@1", &[0xff; 11], DecodeError::Varint { at: 0 }),
        ("list@1", &[2, 0, 0], DecodeError::CountTooLarge { count: 2, left: 2, at: 0 }),
        ("record@1", &[1, 0, 0], DecodeError::CountTooLarge { count: 1, left: 2, at: 0 }),
        ("list@1", &[1, 5, 1, 0xc3], DecodeError::Text { at: 3 }),
        ("even@2", &[], DecodeError::UnknownType { type_id: "even@2".into(), at: 0 }),
        ("native@1", &[], DecodeError::UnknownType { type_id: "native@1".into(), at: 0 }),
        ("list@1", &[1, 12, 2, 1, b'x'], DecodeError::UnknownType { type_id: "x".into(), at: 4 }),
        (
            "even@1",
            &[3],
            DecodeError::Native {
                type_id: Even::TYPE_ID,
                reason: "wanted one even byte".into(),
                at: 0,
            },
        ),
    ];
    for (type_id, payload, error) in cases {
        assert_eq!(any(type_id, payload), Err(error), "{type_id} {payload:?}");
    }
    let twice = any("record@1", &[2, 1, b'a', 0, 0, 1, b'a', 0, 0]);
    let source = NestError::DuplicateField { name: "a".into() };
    assert_eq!(twice, Err(DecodeError::Record { source, at: 0 }));
    assert!(matches!(any("peer@1", &[1, 2, 3]), Err(DecodeError::Peer { at: 0, .. })));
    assert!(matches!(any("address@1", &[0xff]), Err(DecodeError::Address { at: 0, .. })));
    assert!(matches!(any("tensor@1", &[0xff]), Err(DecodeError::Tensor { at: 0, .. })));
}

#[test]
fn a_claimed_count_never_becomes_memory() {
    let mut payload = vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    payload.extend([0; 20]);
    let refused = any("list@1", &payload);
    assert_eq!(refused, Err(DecodeError::CountTooLarge { count: u64::MAX, left: 20, at: 0 }));
}

#[test]
fn depth_and_items_end_at_their_limits() {
    let limits = ValueConfig { max_depth: 3, max_items: 5 };
    let within = |value: &Value| {
        let sent = encode(value);
        let id = sent.type_id.as_str();
        decode(&PortType::Any, id, sent.payload, &[], &types(), &limits)
    };
    within(&nested(3)).expect("three levels");
    assert_eq!(within(&nested(4)), Err(DecodeError::TooDeep { cap: 3, at: 9 }));
    let rows = |items: usize| {
        let row = Value::list(vec![Value::Unit; items]).expect("shallow");
        Value::list(vec![Value::Unit, row]).expect("shallow")
    };
    within(&rows(3)).expect("five items in all");
    let (count, left, cap, at) = (4, 3, 5, 5);
    assert_eq!(within(&rows(4)), Err(DecodeError::TooManyItems { count, left, cap, at }));
}

#[test]
fn a_value_for_another_port_is_refused_before_it_is_decoded() {
    let refused = decode(
        &PortType::U64,
        "text@1",
        Bytes::from_static(&[0xff]),
        &[],
        &types(),
        &ValueConfig::default(),
    );
    assert_eq!(refused.expect_err("text").to_string(), "expected u64, got text@1");
}

#[test]
fn a_tensor_outside_the_bounds_of_its_port_is_refused() {
    let sent = encode(&Value::from(Tensor::zeros(Dtype::F32, &[3]).expect("memory")));
    let port = PortType::tensor(Dtype::F32, [Some(2)]);
    let (types, limits) = (types(), ValueConfig::default());
    let refused = decode(&port, "tensor@1", sent.payload, &sent.blobs, &types, &limits);
    assert!(matches!(refused, Err(DecodeError::TypeMismatch(_))));
}

#[test]
fn a_blob_that_no_tensor_names_is_refused() {
    let blobs = [Bytes::from_static(b"smuggled")];
    let (types, limits) = (types(), ValueConfig::default());
    let refused = decode(&PortType::Any, "unit@1", Bytes::new(), &blobs, &types, &limits);
    assert_eq!(refused, Err(DecodeError::UnusedBlobs { got: 1, used: 0 }));
}

#[test]
fn large_content_is_not_copied_on_either_way() {
    let bytes = Bytes::from(vec![1; 5_000]);
    let sent = encode(&Value::from(bytes.clone()));
    assert_eq!(sent.payload.as_ptr(), bytes.as_ptr());
    let Ok(Value::Bytes(got)) =
        decode(&PortType::Bytes, "bytes@1", sent.payload, &[], &types(), &ValueConfig::default())
    else {
        panic!("bytes come back as bytes")
    };
    assert_eq!(got.as_ptr(), bytes.as_ptr());
}
