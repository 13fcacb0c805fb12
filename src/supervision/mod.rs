//! Generic supervised actors ("cells") on actix; knows no trading word.
