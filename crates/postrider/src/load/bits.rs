//! A growing set of small numbers, a bit each.

const WORD_BITS: usize = u64::BITS as usize;

/// A set of numbers.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// Puts a number in; whether it is new.
    pub fn insert(&mut self, number: usize) -> bool {
        let (word, bit) = (number / WORD_BITS, 1 << (number % WORD_BITS));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    /// How many of these numbers the other set lacks.
    pub fn count_missing_from(&self, other: &Bits) -> u64 {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        let missing = self
            .words
            .iter()
            .zip(others)
            .map(|(own, other)| own & !other);
        missing.map(|word| u64::from(word.count_ones())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(numbers: &[usize]) -> Bits {
        let mut bits = Bits::default();
        for number in numbers {
            bits.insert(*number);
        }
        bits
    }

    #[test]
    fn a_number_is_new_once() {
        let mut bits = Bits::default();
        assert!(bits.insert(64));
        assert!(!bits.insert(64));
        assert!(bits.insert(0));
        assert!(!bits.insert(0));
    }

    #[test]
    fn missing_numbers_are_counted_whichever_set_is_longer() {
        let cases: [(&[usize], &[usize], u64); 4] = [
            (&[1, 64, 200], &[1], 2),
            (&[1], &[1, 64, 200], 0),
            (&[], &[3], 0),
            (&[5, 6], &[], 2),
        ];
        for (own, other, missing) in cases {
            assert_eq!(
                bits(own).count_missing_from(&bits(other)),
                missing,
                "{own:?} {other:?}"
            );
        }
    }
}
