//! Hands libFuzzer's inputs to `samsara_fuzz::peer_id`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsara_fuzz::peer_id(data));
