//! Enumerations that stand as words in tables, documents and requests.

/// Gives an enumeration the words for its variants: `ALL`, `name` and `from_name`.
macro_rules! names {
    ($kind:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $crate::domain::names::names!(pub $kind { $($variant = $word),+ });
    };
    ($seen:vis $kind:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $kind {
            /// Every one.
            $seen const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word.
            $seen const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The one of that word.
            $seen fn from_name(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == word)
            }
        }
    };
}

pub(crate) use names;
