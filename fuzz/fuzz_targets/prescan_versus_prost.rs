//! Hands libFuzzer's inputs to `samsara_fuzz::prescan_versus_prost`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsara_fuzz::prescan_versus_prost(data));
