//! The contract, row by row, and random worlds in which no rule may be broken.

mod again;
mod asking;
mod calls;
mod chains;
mod closing;
mod currencies;
mod delivery;
mod free;
mod generate;
mod names;
mod parallel;
mod payment;
mod property;
mod quotes;
mod races;
mod random;
mod retries;
mod rules;
mod steps;
mod unused;
mod world;
