//! Tests of the one type that both peers and kernels trust.

use super::*;

fn address(tensor: &Tensor) -> *const u8 {
    tensor.bytes().as_ptr()
}

#[test]
fn a_shape_that_overflows_is_refused_before_memory_is_asked_for() {
    for shape in [&[u64::MAX, 2][..], &[1 << 62, 4], &[1 << 61, 1 << 61, 0], &[1 << 63]] {
        let shape = shape.to_vec();
        assert_eq!(
            Tensor::zeros(Dtype::F64, &shape),
            Err(TensorError::Overflow { dtype: Dtype::F64, shape })
        );
    }
}

#[test]
fn a_rank_above_the_cap_is_refused() {
    assert!(Tensor::zeros(Dtype::U8, &[1; MAX_RANK]).is_ok());
    assert_eq!(
        Tensor::zeros(Dtype::U8, &[1; MAX_RANK + 1]),
        Err(TensorError::RankTooLarge { rank: 33, cap: 32 })
    );
}

#[test]
fn bytes_that_do_not_fill_the_shape_are_refused() {
    let got = Tensor::from_bytes(Dtype::F32, &[2], Bytes::from_static(&[0; 7]));
    let shape = vec![2];
    assert_eq!(got, Err(TensorError::WrongLength { dtype: Dtype::F32, shape, wanted: 8, got: 7 }));
    assert!(Tensor::from_slice(&[3], &[1_u8, 2]).is_err());
}

#[test]
fn an_empty_tensor_is_a_tensor() {
    let mut empty = Tensor::zeros(Dtype::F64, &[3, 0]).expect("a legal shape");
    assert_eq!(empty.element_count(), 0);
    assert_eq!(empty.as_slice::<f64>(), Ok(&[][..]));
    assert!(empty.write().expect("memory").as_slice::<f64>().expect("f64").is_empty());
}

#[test]
fn our_own_memory_begins_on_a_cache_line() {
    for len in 0..200 {
        let zeros = Tensor::zeros(Dtype::U8, &[len]).expect("a legal shape");
        let copied = Tensor::from_slice(&[len], &vec![7_u8; len as usize]).expect("it fits");
        assert!(len == 0 || address(&zeros).align_offset(ALIGNMENT) == 0);
        assert!(len == 0 || address(&copied).align_offset(ALIGNMENT) == 0);
        assert!(zeros.bytes().iter().all(|byte| *byte == 0));
        assert!(copied.bytes().iter().all(|byte| *byte == 7));
        assert_eq!(copied.bytes().len() as u64, len);
    }
}

#[test]
fn a_sole_owner_writes_in_place_and_stays_aligned() {
    let mut tensor = Tensor::from_slice(&[3], &[1_i64, 2, 3]).expect("it fits");
    let before = address(&tensor);
    for round in [5, 9, 2] {
        tensor.write().expect("memory").as_slice::<i64>().expect("i64")[1] = round;
    }
    assert_eq!(address(&tensor), before);
    assert_eq!(tensor.as_slice::<i64>(), Ok(&[1, 2, 3][..]));
}

#[test]
fn a_write_is_not_seen_by_other_owners() {
    let mut tensor = Tensor::from_slice(&[2], &[1_u8, 2]).expect("it fits");
    let clone = tensor.clone();
    let sent = tensor.bytes().clone();
    tensor.write().expect("memory")[0] = 9;
    assert_eq!(tensor.as_slice::<u8>(), Ok(&[9, 2][..]));
    assert_eq!(clone.as_slice::<u8>(), Ok(&[1, 2][..]));

    drop(clone);
    tensor.write().expect("memory")[0] = 10;
    assert_eq!(sent.as_ref(), [1, 2]);
}

#[test]
fn bytes_at_an_odd_place_are_refused_as_numbers_until_aligned() {
    let buffer = aligned_copy(&[0, 1, 0, 0, 0, 2, 0, 0, 0]).expect("memory");
    let odd = Tensor::from_bytes(Dtype::U32, &[2], buffer.slice(1..)).expect("it fits");
    assert_eq!(address(&odd), buffer[1..].as_ptr());
    assert_eq!(odd.as_slice::<u32>(), Err(TensorError::Misaligned { dtype: Dtype::U32 }));
    let aligned = odd.aligned().expect("memory");
    assert_eq!(aligned.as_slice::<u32>(), Ok(&[1, 2][..]));
    assert_eq!(address(&aligned.aligned().expect("memory")), address(&aligned));
    assert_eq!(aligned, odd);
}

#[test]
fn elements_are_seen_only_as_what_they_are() {
    let tensor = Tensor::scalar(1.5_f32).expect("memory");
    assert_eq!(
        tensor.as_slice::<u32>(),
        Err(TensorError::WrongElement { wanted: Dtype::U32, got: Dtype::F32 })
    );
    assert_eq!(tensor.bytes().as_ref(), 1.5_f32.to_le_bytes());
}

#[test]
fn element_types_keep_their_onnx_numbers() {
    for number in -1..30 {
        match Dtype::from_onnx(number) {
            Ok(dtype) => assert_eq!(dtype.onnx(), number),
            Err(error) => assert_eq!(error, TensorError::UnsupportedDtype { number }),
        }
    }
    let numbers: Vec<i32> = Dtype::ALL.iter().map(|dtype| dtype.onnx()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16]);
}

#[test]
fn a_guard_that_is_forgotten_leaves_a_tensor_behind() {
    for (dtype, shape) in [(Dtype::F64, &[2, 3][..]), (Dtype::U8, &[]), (Dtype::Complex128, &[0])] {
        let mut tensor = Tensor::zeros(dtype, shape).expect("it is small");
        let kept = tensor.clone();
        mem::forget(tensor.write().expect("memory"));
        assert_eq!(
            byte_len(tensor.dtype(), tensor.shape()),
            Ok(tensor.bytes().len()),
            "{tensor:?}"
        );
        assert_eq!((tensor.dtype(), tensor.element_count()), (dtype, 1));
        assert_eq!(kept.shape(), shape, "a clone sees nothing of it");
    }
    let mut number = Tensor::scalar(5_f64).expect("it is small");
    mem::forget(number.write().expect("memory"));
    assert_eq!(number.as_slice::<f64>(), Ok(&[0.0][..]));
    number.write().expect("memory").as_slice::<f64>().expect("f64")[0] = 7.0;
    assert_eq!(number.as_slice::<f64>(), Ok(&[7.0][..]), "it can be written again");
}
