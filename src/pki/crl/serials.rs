//! The serial numbers of a list, to be asked by hash.
//!
//! The numbers lie one after the other in one piece of memory, each with its length and reason before it, and a table
//! of their places is open to the next slot where two fall on one. Measured with 10^6 numbers of 16 octets: 18 bytes
//! of number and 6 bytes of table for each, 24 MB in all, which is less than the list itself had. A number is found by
//! looking at two slots, and known not to be there by looking at five, however many there are.

use std::hash::{BuildHasher as _, RandomState};

/// The longest serial number that is kept, in octets: a certificate with a longer one is not read (RFC 5280 section
/// 4.1.2.2), so its entry can say nothing.
const SERIAL_OCTETS_MAX: usize = 20;

/// Slots for each two numbers: a table that is two thirds full has short ways.
const SLOTS_PER_TWO: usize = 3;

/// A slot that holds nothing. Places never get so far, because a list has at most 64 MiB.
const EMPTY: u32 = u32::MAX;

/// Serial numbers, each with a reason.
pub(super) struct Serials {
    /// So that nobody who chooses numbers chooses their slots.
    hash: RandomState,
    slots: Vec<u32>,
    numbers: Vec<u8>,
    count: usize,
}

/// Serial numbers that are being collected.
#[derive(Default)]
pub(super) struct SerialsBuilder {
    numbers: Vec<u8>,
    count: usize,
}

impl SerialsBuilder {
    /// Takes a number, as it stands in the list, with the code of its reason.
    pub(super) fn take(&mut self, serial: &[u8], reason: u8) {
        let serial = without_sign(serial);
        if let Ok(length) = u8::try_from(serial.len())
            && serial.len() <= SERIAL_OCTETS_MAX
        {
            self.numbers.extend([length, reason]);
            self.numbers.extend_from_slice(serial);
            self.count += 1;
        }
    }

    /// The numbers, ready to be asked.
    pub(super) fn finish(mut self) -> Serials {
        self.numbers.shrink_to_fit();
        let size = if self.count == 0 { 0 } else { self.count * SLOTS_PER_TWO / 2 + 1 };
        let (hash, slots) = (RandomState::new(), vec![EMPTY; size]);
        let mut serials = Serials { hash, slots, numbers: self.numbers, count: 0 };
        let mut place = 0;
        while place < serials.numbers.len() {
            let serial = serials.serial_at(place).to_vec();
            let (slot, found, _) = serials.find(&serial);
            // Of a number that stands twice, the first reason counts.
            if found.is_none() {
                serials.slots[slot] = u32::try_from(place).unwrap_or(EMPTY);
                serials.count += 1;
            }
            place += 2 + serial.len();
        }
        serials
    }
}

impl Serials {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The code of the reason for which a number is here, if it is.
    pub(super) fn reason(&self, serial: &[u8]) -> Option<u8> {
        if self.slots.is_empty() {
            return None;
        }
        let (_, found, _) = self.find(without_sign(serial));
        found.and_then(|place| self.numbers.get(place + 1)).copied()
    }

    /// The slot of a number or the one that it would be put into, its place if it is here, and how many slots were
    /// looked at. There is always an empty slot, because there are more slots than numbers.
    fn find(&self, serial: &[u8]) -> (usize, Option<usize>, usize) {
        let hash = u128::from(self.hash.hash_one(serial));
        let size = u128::try_from(self.slots.len()).unwrap_or_default();
        let mut slot = usize::try_from((hash * size) >> u64::BITS).unwrap_or_default();
        let mut looks = 1;
        while self.slots[slot] != EMPTY {
            let place = usize::try_from(self.slots[slot]).unwrap_or_default();
            if self.serial_at(place) == serial {
                return (slot, Some(place), looks);
            }
            slot = (slot + 1) % self.slots.len();
            looks += 1;
        }
        (slot, None, looks)
    }

    fn serial_at(&self, place: usize) -> &[u8] {
        let length = self.numbers.get(place).copied().map_or(0, usize::from);
        self.numbers.get(place + 2..place + 2 + length).unwrap_or_default()
    }
}

/// Serial numbers are compared without the octets that only carry the sign.
fn without_sign(serial: &[u8]) -> &[u8] {
    let start = serial.iter().position(|&octet| octet != 0).unwrap_or(serial.len());
    &serial[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(index: u32) -> Vec<u8> {
        // Sixteen octets, of which the last few differ, as where an authority counts.
        [&[0x5a; 12][..], &index.to_be_bytes()].concat()
    }

    fn serials(count: u32) -> Serials {
        let mut builder = SerialsBuilder::default();
        for index in 0..count {
            builder.take(&number(index), u8::try_from(index % 11).unwrap());
        }
        builder.finish()
    }

    /// The slots that are looked at for one number, on average over numbers that are there and numbers that are not.
    fn looks(serials: &Serials, count: u32) -> f64 {
        let asked = (0..count).step_by(usize::try_from(count / 10).unwrap().max(1));
        let asked: Vec<Vec<u8>> = asked.flat_map(|it| [number(it), number(it + count)]).collect();
        let sum: usize = asked.iter().map(|serial| serials.find(serial).2).sum();
        f64::from(u32::try_from(sum).unwrap()) / f64::from(u32::try_from(asked.len()).unwrap())
    }

    #[test]
    fn every_number_is_found_with_its_reason_and_no_other() {
        let serials = serials(1_000);
        assert_eq!(serials.len(), 1_000);
        for index in 0..1_000 {
            let reason = u8::try_from(index % 11).unwrap();
            assert_eq!(serials.reason(&number(index)), Some(reason), "{index}");
            assert_eq!(serials.reason(&[&[0], &number(index)[..]].concat()), Some(reason));
            assert_eq!(serials.reason(&number(index + 1_000)), None, "{index}");
            assert_eq!(serials.reason(&number(index)[..15]), None, "{index}");
        }
        let none = SerialsBuilder::default().finish();
        assert_eq!((none.len(), none.reason(&[1])), (0, None));
    }

    #[test]
    fn a_number_twice_is_one_and_one_that_no_certificate_has_is_none() {
        let mut builder = SerialsBuilder::default();
        for (serial, reason) in [(&[1, 2][..], 1), (&[0, 1, 2], 4), (&[7; 21], 1), (&[7; 20], 5)] {
            builder.take(serial, reason);
        }
        let serials = builder.finish();
        assert_eq!(serials.len(), 2);
        assert_eq!(serials.reason(&[1, 2]), Some(1));
        assert_eq!(serials.reason(&[7; 20]), Some(5));
        assert_eq!(serials.reason(&[7; 21]), None);
    }

    #[test]
    fn a_million_numbers_are_asked_as_ten_are_and_take_24_bytes_each() {
        let (few, many) = (serials(10), serials(1_000_000));
        let (of_few, of_many) = (looks(&few, 10), looks(&many, 1_000_000));
        // In a table that is two thirds full it is 2 to 5 on average (Knuth, 6.4), of which 20 numbers are a sample.
        assert!(of_few < 12.0 && of_many < 12.0, "{of_few} and {of_many}");
        let bytes = many.numbers.capacity() + many.slots.capacity() * size_of::<u32>();
        assert!(bytes <= 24_000_100, "{bytes}");
    }
}
