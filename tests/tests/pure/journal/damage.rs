//! Bytes that are not what was written: cut off, garbled, flipped, taken from elsewhere.

use samsara_runtime::recovery::{Corruption, Fault};
use samsara_runtime::storage::FileName;

use super::disk::disk_of;
use super::*;

/// A log on its disk, with where each record lies.
struct Written {
    config: JournalConfig,
    files: Vec<(FileName, Vec<u8>)>,
    payloads: Vec<Vec<u8>>,
    /// For each record its file, and its bytes there.
    places: Vec<(usize, std::ops::Range<usize>)>,
    /// The last record that another one calls durable.
    marked: usize,
}

/// Groups of records, each group synced before the next is written.
fn written(groups: &[usize], payload_len: usize) -> Written {
    written_in(config(), groups, payload_len)
}

fn written_in(config: JournalConfig, groups: &[usize], payload_len: usize) -> Written {
    let mut disk = locked();
    let opened = Log::open(&mut disk, STORE, config, Rng::from_seed(1));
    let mut log = opened.expect("an empty store").log;
    let (mut list, mut marked) = (Vec::new(), 0);
    for group in groups {
        marked = list.len();
        let payloads: Vec<Vec<u8>> =
            (0..*group).map(|place| vec![(marked + place + 1) as u8; payload_len]).collect();
        commit(&mut log, &mut disk, &payloads.iter().map(Vec::as_slice).collect::<Vec<_>>());
        list.extend(payloads);
    }
    let files = files_of(&disk);
    let len = (72 + node(0).encoded_len() + payload_len).next_multiple_of(8);
    let mut places = Vec::new();
    for (file, (_, bytes)) in files.iter().enumerate() {
        let mut from = 64;
        // A record begins with the length of its payload, and none is empty here.
        while from + len <= bytes.len() && bytes[from] != 0 {
            places.push((file, from..from + len));
            from += len;
        }
    }
    assert_eq!(places.len(), list.len());
    Written { config, files, payloads: list, places, marked }
}

enum Outcome {
    /// So many records, and the first record that was cut off.
    Kept(usize, Option<Lsn>),
    Lost(Corruption),
    Refused,
}

impl Written {
    /// What opening these files gives. Whatever is read must be what was written.
    fn open(&self, files: &[(FileName, Vec<u8>)]) -> Outcome {
        let mut disk = disk_of(files);
        match Log::open(&mut disk, STORE, self.config, Rng::from_seed(2)) {
            Ok(Opened { mut log, cut, .. }) => {
                let there = payloads(&log, &disk);
                assert_eq!(there, self.payloads[..there.len()], "not what was written");
                commit(&mut log, &mut disk, &[b"the log goes on"]);
                Outcome::Kept(there.len(), cut.map(|cut| cut.lsn))
            }
            Err(OpenError::Corrupt(corruption)) => Outcome::Lost(corruption),
            Err(_) => Outcome::Refused,
        }
    }

    /// The record that a byte belongs to.
    fn record_at(&self, file: usize, byte: usize) -> Option<usize> {
        self.places.iter().position(|(of, place)| *of == file && place.contains(&byte))
    }

    /// Whether damage to one byte was treated as it must be.
    fn assert_seen(&self, file: usize, byte: usize, files: &[(FileName, Vec<u8>)]) {
        let (outcome, all) = (self.open(files), self.payloads.len());
        let is_last = file + 1 == self.files.len();
        match (self.record_at(file, byte), outcome) {
            // Nobody called the record durable: the log ends before it, and says so.
            (Some(record), Outcome::Kept(kept, cut)) if record >= self.marked => {
                assert_eq!((kept, cut), (record, Some(Lsn::new(record as u64 + 1))));
            }
            (Some(record), Outcome::Lost(lost)) if record < self.marked => {
                let (of, place) = &self.places[record];
                assert_eq!(lost.lsn, Lsn::new(record as u64 + 1));
                assert_eq!((&lost.file, lost.offset), (&self.files[*of].0, place.start as u64));
            }
            (None, Outcome::Lost(_) | Outcome::Refused) if byte < 64 => {}
            // Behind the records nothing is lost; in the last file it is mended and told.
            (None, Outcome::Kept(kept, cut)) if byte >= 64 => {
                assert_eq!((kept, cut.is_some()), (all, is_last));
            }
            (record, Outcome::Kept(kept, cut)) => {
                panic!("byte {byte} of file {file}, record {record:?}: kept {kept}, cut {cut:?}")
            }
            (record, Outcome::Lost(lost)) => {
                panic!("byte {byte} of file {file}, record {record:?}: {lost}")
            }
            (record, Outcome::Refused) => {
                panic!("byte {byte} of file {file}, record {record:?}: refused")
            }
        }
    }
}

#[test]
fn every_flipped_bit_of_a_log_is_seen() {
    let small = JournalConfig { segment_bytes: 1_024, ..config() };
    let written = written_in(small, &[2, 3, 2, 2], 60);
    assert_eq!(written.files.len(), 2);
    for file in 0..written.files.len() {
        // Zeros behind the records are all alike: some of them stand for the rest.
        let used = written.places.iter().filter(|(of, _)| *of == file).map(|(_, place)| place.end);
        let used = used.max().unwrap_or(64);
        for byte in (0..used).chain((used..1_024).step_by(41)) {
            for bit in 0..8 {
                let mut files = written.files.clone();
                files[file].1[byte] ^= 1 << bit;
                written.assert_seen(file, byte, &files);
            }
        }
    }
}

#[test]
fn a_log_garbled_anywhere_in_its_last_bytes_ends_exactly_before_the_damage() {
    for groups in [&[3, 9][..], &[1; 12]] {
        let written = written(groups, 200);
        let mut rng = Rng::from_seed(3);
        for byte in 64..4_096 {
            let mut files = written.files.clone();
            files[0].1[byte] ^= rng.between(1..=255) as u8;
            written.assert_seen(0, byte, &files);
        }
    }
}

#[test]
fn a_log_cut_off_at_any_byte_keeps_exactly_the_whole_records_before_it() {
    let written = written(&[3, 2, 2, 5], 200);
    for len in 64..4_096 {
        let mut files = written.files.clone();
        files[0].1.truncate(len);
        let whole = written.places.iter().filter(|(_, place)| place.end <= len).count();
        match written.open(&files) {
            Outcome::Kept(kept, cut) => {
                assert_eq!((kept, cut), (whole, Some(Lsn::new(whole as u64 + 1))), "at {len}");
            }
            Outcome::Lost(lost) => panic!("at {len}: {lost}"),
            Outcome::Refused => panic!("at {len}: refused"),
        }
    }
    for len in 0..64 {
        let mut files = written.files.clone();
        files[0].1.truncate(len);
        assert!(matches!(written.open(&files), Outcome::Lost(_)), "a header of {len} bytes");
    }
}

#[test]
fn a_write_that_never_reached_the_disk_is_seen_when_a_later_one_called_it_durable() {
    let written = written(&[1; 6], 200);
    for (record, (file, place)) in written.places.iter().enumerate() {
        let mut files = written.files.clone();
        files[*file].1[place.clone()].fill(0);
        match written.open(&files) {
            Outcome::Lost(lost) => {
                assert!(record < 5);
                assert_eq!((lost.lsn, lost.fault), (Lsn::new(record as u64 + 1), Fault::Absent));
            }
            // The last one is zeros like all behind it: nothing says that it was there.
            Outcome::Kept(kept, cut) => assert_eq!((record, kept, cut), (5, 5, None)),
            Outcome::Refused => panic!("record {record}"),
        }
    }
}

#[test]
fn a_torn_group_is_cut_as_a_whole_from_its_first_bad_record() {
    let written = written(&[2, 4], 200);
    let mut files = written.files.clone();
    files[0].1[written.places[3].1.clone()].fill(0);
    let mut disk = disk_of(&files);
    let Opened { cut, log, .. } = open_with(&mut disk, 2).expect("nobody called it durable");
    let cut = cut.expect("it is told");
    assert_eq!((cut.lsn, cut.fault, cut.whole_behind), (Lsn::new(4), Fault::Absent, 2));
    assert_eq!(log.durable(), Lsn::new(3));
    drop(log);
    let Opened { cut, .. } = open_with(&mut disk, 3).expect("it is sound now");
    assert_eq!(cut, None, "what was cut is gone for good");
}

#[test]
fn a_record_at_the_place_of_another_is_seen() {
    let written = written(&[1; 6], 200);
    for (here, there) in [(1, 3), (3, 1), (5, 4), (4, 5)] {
        let mut files = written.files.clone();
        let (from, to) = (written.places[there].1.clone(), written.places[here].1.clone());
        files[0].1.copy_within(from, to.start);
        let Outcome::Lost(lost) = written.open(&files) else { panic!("{there} at {here}") };
        let found = Lsn::new(there as u64 + 1);
        assert_eq!((lost.lsn, lost.fault), (Lsn::new(here as u64 + 1), Fault::OtherLsn { found }));
    }
}

#[test]
fn records_and_segments_of_another_time_or_place_are_not_taken_for_its_own() {
    let older = written(&[4; 4], 200);
    let newer = written_with_seed(9);
    // A whole segment under another one's name.
    let mut files = older.files.clone();
    let bytes = files[0].1.clone();
    files[1].1 = bytes;
    assert!(
        matches!(older.open(&files), Outcome::Lost(lost) if lost.fault == Fault::SegmentHeader)
    );
    // Records of another life of the same store at the same place: only the salt differs.
    let mut files = older.files.clone();
    files[0].1[64..].copy_from_slice(&newer[0].1[64..]);
    assert!(
        matches!(older.open(&files), Outcome::Lost(lost) if lost.fault == Fault::HeaderChecksum)
    );
    // A segment that is gone from the middle.
    let files = vec![older.files[0].clone(), (name_of(99), older.files[1].1.clone())];
    assert!(matches!(older.open(&files), Outcome::Lost(_)));
}

fn written_with_seed(seed: u64) -> Vec<(FileName, Vec<u8>)> {
    let mut disk = locked();
    let mut log = open_with(&mut disk, seed).expect("an empty store").log;
    for group in 0..4 {
        let payloads = [[group; 200]; 4];
        commit(&mut log, &mut disk, &payloads.each_ref().map(|payload| &payload[..]));
    }
    files_of(&disk)
}

fn name_of(first: u64) -> FileName {
    FileName::new(&format!("journal-{first:016x}.log")).expect("a legal name")
}

#[test]
fn a_whole_record_that_does_not_follow_from_those_of_its_node_is_seen() {
    // Two stores that agree up to one record: the salt is the same, the history is not.
    let one = |first: &[u8]| {
        let mut disk = locked();
        let mut log = open(&mut disk);
        for payload in [first, b"second", b"third"] {
            commit(&mut log, &mut disk, &[payload]);
        }
        files_of(&disk)
    };
    let (mut mine, other) = (one(b"first"), one(b"FIRST"));
    let len = (72 + node(0).encoded_len() + 5).next_multiple_of(8);
    let (record, rest) = (64..64 + len, 64 + len..);
    mine[0].1[record.clone()].copy_from_slice(&other[0].1[record]);
    assert!(mine[0].1[rest.clone()] != other[0].1[rest]);
    let refused = open_with(&mut disk_of(&mine), 2).expect_err("another history");
    assert!(
        matches!(&refused, OpenError::Corrupt(lost) if lost.fault == Fault::Chain),
        "{refused}"
    );
}
