//! Hands libFuzzer's inputs to `samsara_fuzz::envelope`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsara_fuzz::envelope(data));
