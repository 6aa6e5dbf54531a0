//! Bytes made shorter, and bytes as letters of an address: deflate (RFC 1951) and base64 for URLs
//! without padding (RFC 4648, §5).
//!
//! Plain and small rather than fast: a link has a few kilobytes, and the page loads this code. The tests
//! hold both against the libraries that are usual for them.

/// Letters of six bits.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// These bytes as letters.
pub fn letters(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| {
            bits << 8 | u32::from(group.get(i).copied().unwrap_or(0))
        });
        for i in 0..=group.len() {
            out.push(char::from(LETTERS[(bits >> (18 - 6 * i)) as usize & 63]));
        }
    }
    out
}

/// The bytes of such letters; none if there are others, or if there is a cut within a byte.
pub fn bytes(letters: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for group in letters.as_bytes().chunks(4) {
        let mut bits = 0;
        for &letter in group {
            bits = bits << 6 | LETTERS.iter().position(|&known| known == letter)? as u32;
        }
        // What is left over within a byte says nothing, and must be zero.
        let whole = group.len() * 6 / 8;
        let rest = group.len() * 6 % 8;
        if whole == 0 || bits & ((1 << rest) - 1) != 0 {
            return None;
        }
        let bits = bits >> rest;
        out.extend((0..whole).rev().map(|i| (bits >> (8 * i)) as u8));
    }
    Some(out)
}

/// Longest code of a letter, a length or a distance.
const LONGEST_CODE: usize = 15;
/// Longest code of a length of a code.
const LONGEST_LENGTH_CODE: usize = 7;
const SHORTEST_MATCH: usize = 3;
const LONGEST_MATCH: usize = 258;
const WINDOW: usize = 32_768;
/// Symbols: 256 letters, the end of a block, 29 lengths.
const SYMBOLS: usize = 286;
const END: usize = 256;
const DISTANCES: usize = 30;
/// The order in which the lengths of the codes of lengths are written.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The shortest match of a symbol of length, and how many bits say what is beyond.
fn length_of(symbol: usize) -> (usize, u32) {
    match symbol {
        0..8 => (SHORTEST_MATCH + symbol, 0),
        28.. => (LONGEST_MATCH, 0),
        _ => {
            let bits = symbol / 4 - 1;
            (SHORTEST_MATCH + ((4 + symbol % 4) << bits), bits as u32)
        }
    }
}

/// The shortest distance of a symbol of distance, and how many bits say what is beyond.
fn distance_of(symbol: usize) -> (usize, u32) {
    match symbol {
        0..4 => (1 + symbol, 0),
        _ => {
            let bits = symbol / 2 - 1;
            (1 + ((2 + symbol % 2) << bits), bits as u32)
        }
    }
}

/// Bits to read, the least significant of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<usize> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    fn take(&mut self, count: u32) -> Option<usize> {
        (0..count).try_fold(0, |number, place| Some(number | self.bit()? << place))
    }

    /// The next symbol of a code.
    fn symbol(&mut self, code: &Code) -> Option<usize> {
        let (mut number, mut first, mut before) = (0, 0, 0);
        for &count in &code.counts[1..] {
            number = number << 1 | self.bit()?;
            if number < first + count {
                return code.symbols.get(before + number - first).copied();
            }
            before += count;
            first = (first + count) << 1;
        }
        None
    }
}

/// A code in the canonical order: shorter before longer, lower symbols before higher.
struct Code {
    /// How many symbols have a code of each length.
    counts: [usize; LONGEST_CODE + 1],
    /// Those that have one, in order.
    symbols: Vec<usize>,
}

impl Code {
    /// The code of these lengths; none if there are more than there is room for.
    fn new(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0; LONGEST_CODE + 1];
        let mut symbols = Vec::new();
        let mut room = 1;
        for length in 1..=LONGEST_CODE {
            let those = lengths.iter().enumerate();
            let those = those.filter(|&(_, &l)| usize::from(l) == length);
            let before = symbols.len();
            symbols.extend(those.map(|(symbol, _)| symbol));
            counts[length] = symbols.len() - before;
            room = (2 * room as usize).checked_sub(counts[length])?;
        }
        Some(Self { counts, symbols })
    }
}

/// The bytes that were deflated; none if these were not, or come to more than `most`.
pub fn inflate(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut bits = Bits {
        bytes: packed,
        at: 0,
    };
    let mut out = Vec::new();
    loop {
        let is_last = bits.bit()? == 1;
        match bits.take(2)? {
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let (count, check) = (bits.take(16)?, bits.take(16)?);
                let from = bits.at / 8;
                let plain = packed.get(from..from + count)?;
                if count ^ check != 0xffff || out.len() + count > most {
                    return None;
                }
                out.extend_from_slice(plain);
                bits.at += 8 * count;
            }
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                block(&mut bits, &lengths, &[5; DISTANCES], &mut out, most)?;
            }
            2 => {
                let (symbols, distances) = (257 + bits.take(5)?, 1 + bits.take(5)?);
                let mut lengths = [0; 19];
                for place in &ORDER[..4 + bits.take(4)?] {
                    lengths[*place] = bits.take(3)? as u8;
                }
                let code = Code::new(&lengths)?;
                let mut lengths = Vec::new();
                while lengths.len() < symbols + distances {
                    let (length, times) = match bits.symbol(&code)? {
                        16 => (*lengths.last()?, 3 + bits.take(2)?),
                        17 => (0, 3 + bits.take(3)?),
                        18 => (0, 11 + bits.take(7)?),
                        length => (length as u8, 1),
                    };
                    lengths.extend((0..times).map(|_| length));
                }
                if lengths.len() > symbols + distances {
                    return None;
                }
                let (symbols, distances) = lengths.split_at(symbols);
                block(&mut bits, symbols, distances, &mut out, most)?;
            }
            _ => return None,
        }
        if is_last {
            return Some(out);
        }
    }
}

fn block(
    bits: &mut Bits<'_>,
    symbols: &[u8],
    distances: &[u8],
    out: &mut Vec<u8>,
    most: usize,
) -> Option<()> {
    let (symbols, distances) = (Code::new(symbols)?, Code::new(distances)?);
    loop {
        let symbol = bits.symbol(&symbols)?;
        if symbol == END {
            return Some(());
        }
        if symbol < END {
            out.push(symbol as u8);
        } else {
            let (length, more) = length_of(symbol - END - 1);
            let length = length + bits.take(more)?;
            let symbol = bits
                .symbol(&distances)
                .filter(|&symbol| symbol < DISTANCES)?;
            let (distance, more) = distance_of(symbol);
            let distance = distance + bits.take(more)?;
            let from = out.len().checked_sub(distance)?;
            for place in from..from + length {
                out.push(out[place]);
            }
        }
        if out.len() > most {
            return None;
        }
    }
}

/// A letter (with length 0), or a match.
struct Step {
    length: usize,
    /// How far back, or the letter.
    what: usize,
}

impl Step {
    /// The symbol, and the distance's.
    fn symbols(&self) -> (usize, Option<usize>) {
        if self.length == 0 {
            return (self.what, None);
        }
        let length = (0..29).rfind(|&i| length_of(i).0 <= self.length);
        let distance = (0..DISTANCES).rfind(|&i| distance_of(i).0 <= self.what);
        (END + 1 + length.unwrap_or(0), distance)
    }
}

/// As many steps share their codes.
const BLOCK_STEPS: usize = 16_384;

/// Fewer bytes that stand for these.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let steps = steps(bytes);
    let mut out = Out::default();
    let mut blocks = steps.chunks(BLOCK_STEPS).peekable();
    loop {
        let block = blocks.next().unwrap_or(&[]);
        let is_last = blocks.peek().is_none();
        out.put(usize::from(is_last), 1);
        out.put(2, 2);
        out.block(block);
        if is_last {
            return out.bytes;
        }
    }
}

/// Earlier places that begin alike, at the most, to look at.
const MOST_TRIED: usize = 128;
const HASHES: usize = 1 << 13;

/// Earlier places by how they begin.
struct Places<'a> {
    bytes: &'a [u8],
    /// The latest place of each beginning, and for each place the one before it; counted from 1.
    latest: Vec<usize>,
    before: Vec<usize>,
}

impl Places<'_> {
    /// Enters a place; gives the latest earlier one that may begin alike.
    fn enter(&mut self, at: usize) -> usize {
        let Some(start) = self.bytes.get(at..at + SHORTEST_MATCH) else {
            return 0;
        };
        let mix = |hash: usize, &byte: &u8| hash << 5 ^ usize::from(byte);
        let latest = &mut self.latest[start.iter().fold(0, mix) % HASHES];
        self.before[at] = *latest;
        std::mem::replace(latest, at + 1)
    }

    /// Enters a place; gives the length and the distance of the longest match there.
    fn longest(&mut self, at: usize) -> (usize, usize) {
        let mut best = (0, 0);
        let mut place = self.enter(at);
        for _ in 0..MOST_TRIED {
            if place == 0 || at + 1 - place > WINDOW || best.0 == LONGEST_MATCH {
                break;
            }
            let pairs = self.bytes[place - 1..].iter().zip(&self.bytes[at..]);
            let pairs = pairs.take(LONGEST_MATCH);
            let alike = pairs.take_while(|(a, b)| a == b).count();
            if alike > best.0 {
                best = (alike, at + 1 - place);
            }
            place = self.before[place - 1];
        }
        best
    }
}

fn steps(bytes: &[u8]) -> Vec<Step> {
    let mut places = Places {
        bytes,
        latest: vec![0; HASHES],
        before: vec![0; bytes.len()],
    };
    let mut steps = Vec::new();
    let mut at = 0;
    let mut found = places.longest(at);
    while at < bytes.len() {
        let (length, distance) = found;
        // A match that begins one later and is longer is worth a letter.
        let later = places.longest(at + 1);
        if length < SHORTEST_MATCH || later.0 > length {
            let what = bytes[at].into();
            steps.push(Step { length: 0, what });
            at += 1;
            found = later;
        } else {
            let what = distance;
            steps.push(Step { length, what });
            for within in at + 2..at + length {
                places.enter(within);
            }
            at += length;
            found = places.longest(at);
        }
    }
    steps
}

/// Bits written, the least significant of each byte first.
#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    /// Bits of the last byte that are in use; 8 of none.
    bits: u32,
}

impl Out {
    fn put(&mut self, number: usize, count: u32) {
        for place in 0..count {
            if self.bits % 8 == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((number >> place & 1) as u8) << (self.bits % 8);
            }
            self.bits += 1;
        }
    }

    /// Writes the code of a symbol, its first bit first.
    fn symbol(&mut self, symbol: usize, codes: &[(usize, u32)]) {
        let (code, length) = codes[symbol];
        for place in (0..length).rev() {
            self.put(code >> place & 1, 1);
        }
    }

    fn block(&mut self, steps: &[Step]) {
        let (mut symbols, mut distances) = ([0; SYMBOLS], [0; DISTANCES]);
        symbols[END] = 1;
        for step in steps {
            let (symbol, distance) = step.symbols();
            symbols[symbol] += 1;
            if let Some(distance) = distance {
                distances[distance] += 1;
            }
        }
        let symbols = lengths(&symbols, LONGEST_CODE);
        let distances = lengths(&distances, LONGEST_CODE);
        let runs = runs(&[&symbols[..], &distances[..]].concat());
        let (symbols, distances) = (codes(&symbols), codes(&distances));
        let mut counts = [0; 19];
        for &(symbol, _, _) in &runs {
            counts[symbol] += 1;
        }
        let code = lengths(&counts, LONGEST_LENGTH_CODE);
        self.put(SYMBOLS - 257, 5);
        self.put(DISTANCES - 1, 5);
        self.put(ORDER.len() - 4, 4);
        for place in ORDER {
            self.put(code[place].into(), 3);
        }
        let code = codes(&code);
        for (symbol, more, bits) in runs {
            self.symbol(symbol, &code);
            self.put(more, bits);
        }
        for step in steps {
            let (symbol, distance) = step.symbols();
            self.symbol(symbol, &symbols);
            if let Some(distance) = distance {
                let (least, bits) = length_of(symbol - END - 1);
                self.put(step.length - least, bits);
                self.symbol(distance, &distances);
                let (least, bits) = distance_of(distance);
                self.put(step.what - least, bits);
            }
        }
        self.symbol(END, &symbols);
    }
}

/// The code of each symbol, and its length: in the canonical order, one after the other.
fn codes(lengths: &[u8]) -> Vec<(usize, u32)> {
    let mut codes = vec![(0, 0); lengths.len()];
    let mut next = 0;
    for length in 1..=LONGEST_CODE {
        next <<= 1;
        for (code, &its) in codes.iter_mut().zip(lengths) {
            if usize::from(its) == length {
                *code = (next, length as u32);
                next += 1;
            }
        }
    }
    codes
}

/// Lengths with runs of one length told as such: symbol, what follows it, in how many bits.
fn runs(lengths: &[u8]) -> Vec<(usize, usize, u32)> {
    let mut runs = Vec::new();
    for same in lengths.chunk_by(|a, b| a == b) {
        let length = usize::from(same[0]);
        let mut left = same.len();
        if length > 0 {
            runs.push((length, 0, 0));
            left -= 1;
        }
        while left > 0 {
            let (symbol, least, most, bits) = match (length, left) {
                (0, 11..) => (18, 11, 138, 7),
                (0, 3..) => (17, 3, 10, 3),
                (1.., 3..) => (16, 3, 6, 2),
                _ => (length, 1, 1, 0),
            };
            let taken = left.min(most);
            runs.push((symbol, taken - least, bits));
            left -= taken;
        }
    }
    runs
}

/// The lengths of the codes of symbols that occur so often (Huffman), none longer than `most`. At least
/// two symbols get one: a code of one symbol is not known everywhere.
fn lengths(counts: &[usize], most: usize) -> Vec<u8> {
    let mut counts = counts.to_vec();
    while counts.iter().filter(|&&count| count > 0).count() < 2 {
        if let Some(unused) = counts.iter_mut().find(|count| **count == 0) {
            *unused = 1;
        }
    }
    loop {
        let mut lengths = vec![0; counts.len()];
        // Trees: how often their symbols occur, and which these are.
        let mut trees: Vec<(usize, Vec<usize>)> = Vec::new();
        for (symbol, &count) in counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
            trees.push((count, vec![symbol]));
        }
        while trees.len() > 1 {
            let mut least = || {
                let place = (0..trees.len()).min_by_key(|&place| trees[place].0);
                trees.swap_remove(place.unwrap_or(0))
            };
            let (mut one, other) = (least(), least());
            one.0 += other.0;
            one.1.extend(other.1);
            for &symbol in &one.1 {
                lengths[symbol] += 1;
            }
            trees.push(one);
        }
        if lengths.iter().all(|&length| usize::from(length) <= most) {
            return lengths;
        }
        // Flatter, until it fits.
        for count in &mut counts {
            *count = count.div_ceil(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use agent_chaos_core::{presets::PRESETS, wire};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    const MOST: usize = 1_000_000;

    /// Both ways to pack and to unpack.
    fn check(plain: &[u8]) {
        let packed = deflate(plain);
        assert_eq!(inflate(&packed, MOST).as_deref(), Some(plain));
        let usual = miniz_oxide::inflate::decompress_to_vec(&packed).ok();
        assert_eq!(usual.as_deref(), Some(plain));
        for level in [0, 1, 6, 9] {
            let packed = miniz_oxide::deflate::compress_to_vec(plain, level);
            assert_eq!(inflate(&packed, MOST).as_deref(), Some(plain), "{level}");
        }
        let text = letters(plain);
        assert_eq!(text, URL_SAFE_NO_PAD.encode(plain));
        assert_eq!(bytes(&text).as_deref(), Some(plain));
    }

    #[test]
    fn any_length_and_any_repetition_comes_back() {
        check(b"");
        for length in [
            1, 2, 3, 4, 257, 258, 259, 300, 32_767, 32_768, 32_769, 70_000,
        ] {
            check(&vec![7; length]);
            let mut state = 1_u32;
            let noise: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .take(length)
            .collect();
            check(&noise);
            check(&[&noise[..], &noise[..]].concat());
        }
        // Frequencies like Fibonacci numbers make the longest codes there are.
        let (mut a, mut b, mut steep) = (1, 1, Vec::new());
        for letter in 0..24 {
            steep.extend(vec![letter; a]);
            (a, b) = (b, a + b);
        }
        check(&steep);
    }

    #[test]
    fn profiles_become_as_short_as_by_the_usual_library() {
        for preset in PRESETS {
            let text = wire::to_text(&preset.profile());
            check(text.as_bytes());
            let usual = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 9).len();
            let mine = deflate(text.as_bytes()).len();
            assert!(
                mine <= usual + usual / 50,
                "{}: {mine}, {usual}",
                preset.name
            );
        }
    }

    #[test]
    fn more_than_asked_for_is_refused() {
        let packed = deflate(&[0; 1001]);
        assert_eq!(inflate(&packed, 1000), None);
        assert_eq!(inflate(&packed, 1001).map(|out| out.len()), Some(1001));
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(plain in prop::collection::vec(0..6_u8, 0..3_000), more: Vec<u8>) {
            check(&plain);
            check(&more);
        }

        #[test]
        fn any_letters_are_read_as_by_the_usual_library(text in "[A-Za-z0-9_=+/-]{0,12}") {
            prop_assert_eq!(bytes(&text), URL_SAFE_NO_PAD.decode(&text).ok());
        }

        /// Whatever it makes of it, it is no other text than that of the usual library.
        #[test]
        fn damage_is_survived(
            plain in prop::collection::vec(0..4_u8, 0..500),
            level in 0_u8..10,
            at: prop::sample::Index,
            with: u8,
        ) {
            let mut packed = miniz_oxide::deflate::compress_to_vec(&plain, level);
            let at = at.index(packed.len());
            packed[at] = with;
            if let (Some(mine), Ok(usual)) = (
                inflate(&packed, MOST),
                miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, MOST),
            ) {
                prop_assert_eq!(mine, usual);
            }
            let _ = inflate(&packed[..at], MOST);
        }
    }
}
