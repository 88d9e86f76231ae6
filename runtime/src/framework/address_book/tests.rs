//! The address book at the edges of its limits, and what hints may not do.

use super::*;

fn address(port: u16) -> Address {
    format!("/ip4/10.0.0.1/tcp/{port}").parse().expect("a fine address")
}

fn addresses<const N: usize>(ports: [u16; N]) -> [Address; N] {
    ports.map(address)
}

fn known(book: &AddressBook, peer: u64) -> Vec<(String, Origin)> {
    let tail = |known: KnownAddress<'_>| {
        let text = known.address.to_string();
        (text.rsplit('/').next().expect("it has a port").to_owned(), known.origin)
    };
    book.lookup(&PeerId::from(peer)).map(tail).collect()
}

fn owned(ports: &[&str]) -> Vec<(String, Origin)> {
    ports.iter().map(|port| ((*port).to_owned(), Origin::Owned)).collect()
}

fn book() -> AddressBook {
    AddressBook::new(PeerId::from(100), 2, 2)
}

#[test]
fn owners_are_counted_and_the_last_takes_the_entry_along() {
    let (mut book, peer) = (book(), PeerId::from(1));
    book.add_peer(&peer, &addresses([1])).expect("there is room");
    book.add_peer(&peer, &addresses([2, 1])).expect("there is room");
    assert_eq!(known(&book, 1), owned(&["1", "2"]));
    assert_eq!(book.drop_peer(&peer), Ok(()));
    assert_eq!(known(&book, 1), owned(&["1", "2"]));
    assert_eq!(book.drop_peer(&peer), Ok(()));
    assert_eq!((known(&book, 1), book.is_empty()), (vec![], true));
    assert_eq!(book.drop_peer(&peer), Err(AddressBookError::UnknownPeer { peer }));
}

#[test]
fn a_refused_addition_changes_nothing() {
    let (mut book, peer) = (book(), PeerId::from(1));
    book.add_peer(&peer, &addresses([1])).expect("there is room");
    let before = book.clone();
    assert_eq!(book.add_peer(&peer, &[]), Err(AddressBookError::EmptyAddressList { peer }));
    assert_eq!(
        book.add_peer(&peer, &addresses([2, 3])),
        Err(AddressBookError::TooManyAddresses { peer, count: 3, cap: 2 })
    );
    let other = PeerId::from(2);
    assert_eq!(
        book.register_address(&other, &address(1)),
        Err(AddressBookError::UnknownPeer { peer: other })
    );
    assert_eq!(book, before);
}

#[test]
fn a_book_of_owned_peers_is_full_for_owners_and_hints_alike() {
    let mut book = book();
    for peer in [1, 2] {
        book.add_peer(&PeerId::from(peer), &addresses([1])).expect("there is room");
    }
    let full = Err(AddressBookError::Full { cap: 2 });
    assert_eq!(book.add_peer(&PeerId::from(3), &addresses([1])), full);
    assert_eq!(book.learn(&PeerId::from(3), &address(1)), full);
    assert_eq!(book.add_own_address(&address(1)), full);
}

#[test]
fn hints_make_room_for_owned_addresses_and_never_the_other_way() {
    let (mut book, peer) = (book(), PeerId::from(1));
    for port in [1, 2, 3] {
        book.learn(&peer, &address(port)).expect("an older hint makes room");
    }
    let hint = |port: &str| (port.to_owned(), Origin::Learned);
    assert_eq!(known(&book, 1), [hint("2"), hint("3")]);
    assert_eq!(book.drop_peer(&peer), Err(AddressBookError::UnknownPeer { peer }));

    book.add_peer(&peer, &addresses([4])).expect("a hint makes room");
    assert_eq!(known(&book, 1), [owned(&["4"]), vec![hint("3")]].concat());
    book.register_address(&peer, &address(3)).expect("the hint becomes owned");
    assert_eq!(known(&book, 1), owned(&["4", "3"]));
    assert_eq!(book.learn(&peer, &address(3)), Ok(()));
    assert_eq!(
        book.learn(&peer, &address(5)),
        Err(AddressBookError::TooManyAddresses { peer, count: 3, cap: 2 })
    );
    assert_eq!(known(&book, 1), owned(&["4", "3"]));
}

#[test]
fn a_hint_that_an_owner_confirms_is_listed_once() {
    let mut book = AddressBook::new(PeerId::from(100), 2, 4);
    for port in [1, 2] {
        book.learn(&PeerId::from(1), &address(port)).expect("there is room");
    }
    book.add_peer(&PeerId::from(1), &addresses([2])).expect("there is room");
    let hint = ("1".to_owned(), Origin::Learned);
    assert_eq!(known(&book, 1), [owned(&["2"]), vec![hint]].concat());
}

#[test]
fn a_peer_that_is_only_a_hint_makes_room_and_an_owned_one_never_does() {
    let mut book = book();
    book.add_peer(&PeerId::from(1), &addresses([1])).expect("there is room");
    for peer in [2, 3] {
        book.learn(&PeerId::from(peer), &address(1)).expect("a hint makes room");
    }
    let peers: Vec<PeerId> = book.peers().copied().collect();
    assert_eq!(peers, [1, 3].map(PeerId::from));
    assert_eq!(book.forgotten(), 1);
    book.add_peer(&PeerId::from(4), &addresses([1])).expect("the hint makes room");
    assert!(book.is_owned(&PeerId::from(1)) && book.is_owned(&PeerId::from(4)));
}

#[test]
fn a_hint_about_an_owned_peer_keeps_it_owned() {
    let mut book = book();
    book.add_peer(&PeerId::from(1), &addresses([1])).expect("there is room");
    book.learn(&PeerId::from(1), &address(2)).expect("there is room");
    for peer in [2, 3, 4] {
        book.learn(&PeerId::from(peer), &address(1)).expect("a hint makes room");
    }
    assert!(book.is_owned(&PeerId::from(1)));
}

#[test]
fn own_addresses_are_made_once_and_may_all_be_forgotten() {
    let mut book = book();
    let own = *book.own();
    assert_eq!(
        book.forget_address(&own, &address(1)),
        Err(AddressBookError::UnknownPeer { peer: own })
    );
    for _ in 0..2 {
        book.add_own_address(&address(1)).expect("there is room");
    }
    assert_eq!(known(&book, 100), owned(&["1"]));
    assert_eq!(book.forget_address(&own, &address(9)), Ok(()));
    assert_eq!(book.forget_address(&own, &address(1)), Ok(()));
    assert_eq!((known(&book, 100), book.is_owned(&own)), (vec![], true));
    assert_eq!(book.drop_peer(&own), Ok(()));
    assert!(book.is_empty());
}
