//! Enums that are strings on the wire.

/// Declares an enum whose values are strings in JSON, and gives it `ALL`, `as_str` and `parse`.
///
/// `Seller = "seller" | "provider"` also reads `provider`, but always writes `seller`.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal $(| $alias:literal)*,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        $vis enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text $(, alias = $alias)*)] $variant,)+
        }

        impl $name {
            /// Every value, in the documented order.
            $vis const ALL: [Self; [$($text),+].len()] = [$(Self::$variant),+];

            /// The name on the wire.
            #[must_use]
            $vis const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Parses a name on the wire. Case counts.
            #[must_use]
            $vis fn parse(text: &str) -> Option<Self> {
                match text { $($text $(| $alias)* => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use wire_enum;

#[cfg(test)]
mod tests {
    wire_enum! {
        /// A side of a deal.
        enum Side {
            /// Buys.
            Buyer = "buyer",
            /// Sells.
            Seller = "seller" | "provider",
        }
    }

    #[test]
    fn names_and_aliases_are_read_and_names_are_written() {
        assert_eq!(Side::ALL, [Side::Buyer, Side::Seller]);
        for side in Side::ALL {
            assert_eq!(Side::parse(side.as_str()), Some(side));
            assert_eq!(serde_json::to_value(side).expect("JSON"), side.as_str());
            assert_eq!(serde_json::from_value::<Side>(side.as_str().into()).expect("a side"), side);
        }
        assert_eq!(Side::parse("provider"), Some(Side::Seller));
        assert_eq!(serde_json::from_value::<Side>("provider".into()).expect("a side"), Side::Seller);
        assert_eq!(Side::parse("Buyer"), None);
    }
}
