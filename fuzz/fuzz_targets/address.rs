//! Hands libFuzzer's inputs to `samsara_fuzz::address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsara_fuzz::address(data));
