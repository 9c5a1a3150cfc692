//! DER by hand, for what no tool would write.

/// One element: tag, length and content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let octets: Vec<u8> =
                length.to_be_bytes().into_iter().skip_while(|&octet| octet == 0).collect();
            bytes.push(0x80 | u8::try_from(octets.len()).unwrap());
            bytes.extend(octets);
        }
    }
    bytes.extend(content);
    bytes
}

pub(crate) fn sequence(members: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &members.concat())
}

pub(crate) fn set(members: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x31, &members.concat())
}

pub(crate) fn object_identifier(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let groups = (0..10).rev().map(|i| arc >> (7 * i)).skip_while(|&group| group == 0);
        let groups: Vec<u64> = groups.collect();
        let last = groups.len().max(1) - 1;
        for (i, group) in groups.iter().enumerate() {
            let low = u8::try_from(group & 0x7f).unwrap();
            content.push(if i == last { low } else { low | 0x80 });
        }
        if groups.is_empty() {
            content.push(0);
        }
    }
    tlv(0x06, &content)
}

/// A non-negative INTEGER of big-endian octets.
pub(crate) fn integer(octets: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = octets.iter().copied().skip_while(|&octet| octet == 0).collect();
    if content.first().is_none_or(|&first| first >= 0x80) {
        content.insert(0, 0);
    }
    tlv(0x02, &content)
}

/// A BIT STRING without unused bits.
pub(crate) fn bit_string(octets: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], octets].concat())
}

/// An extension of a certificate, a revocation list or an entry of one.
pub(crate) fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut members = vec![object_identifier(oid)];
    if critical {
        members.push(tlv(0x01, &[0xff]));
    }
    members.push(tlv(0x04, value));
    sequence(&members)
}

/// The contents of a constructed element, split into elements.
pub(crate) fn members(element: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = content(element);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let length = header_length(rest) + content(rest).len();
        found.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    found
}

/// What is inside an element that stands at the front of `bytes`.
pub(crate) fn content(bytes: &[u8]) -> &[u8] {
    let header = header_length(bytes);
    let length = match bytes[1] {
        short @ 0..0x80 => usize::from(short),
        _ => bytes[2..header].iter().fold(0, |length, &octet| length << 8 | usize::from(octet)),
    };
    &bytes[header..header + length]
}

fn header_length(bytes: &[u8]) -> usize {
    match bytes[1] {
        0..0x80 => 2,
        long => 2 + usize::from(long & 0x7f),
    }
}
