//! The body of a review.

use std::fmt;

use crochet::http::request::Text;
use crochet::http::{ApiError, Result};
use crochet_domain::name::check_name;
use crochet_domain::review::Ratings;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// A rating, 1 to 5.
#[derive(Debug, Clone, Copy)]
struct Stars(u8);

impl<'de> Deserialize<'de> for Stars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Read;

        impl serde::de::Visitor<'_> for Read {
            type Value = Stars;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1 to 5")
            }

            fn visit_u64<E: serde::de::Error>(self, stars: u64) -> std::result::Result<Stars, E> {
                match u8::try_from(stars) {
                    Ok(stars @ 1..=5) => Ok(Stars(stars)),
                    _ => Err(E::custom("must be a whole number from 1 to 5")),
                }
            }
        }

        deserializer.deserialize_u64(Read)
    }
}

/// What a buyer says about a listing.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewOpinion {
    /// Whether the responses were right.
    #[schema(value_type = u8, minimum = 1, maximum = 5)]
    accuracy_rating: Stars,
    /// Whether calls succeeded.
    #[schema(value_type = u8, minimum = 1, maximum = 5)]
    reliability_rating: Stars,
    /// Whether it was worth its price.
    #[schema(value_type = u8, minimum = 1, maximum = 5)]
    value_rating: Stars,
    /// Title, in one line.
    #[schema(value_type = String, min_length = 1, max_length = 120)]
    title: Text<1, 120>,
    /// The text.
    #[schema(value_type = String, min_length = 1, max_length = 4_000)]
    comment: Text<1, 4_000>,
}

/// Ratings and text, checked.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) ratings: Ratings,
    pub(crate) title: String,
    pub(crate) comment: String,
}

impl NewOpinion {
    /// Checks the title, which others read as one line.
    ///
    /// # Errors
    /// `INVALID_REQUEST`.
    pub(crate) fn parse(self) -> Result<Said> {
        check_name(&self.title.0).map_err(|problem| ApiError::field("title", &problem.to_string()))?;
        let ratings =
            Ratings { accuracy: self.accuracy_rating.0, reliability: self.reliability_rating.0, value: self.value_rating.0 };
        Ok(Said { ratings, title: self.title.0, comment: self.comment.0 })
    }
}
