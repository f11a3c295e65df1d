//! Sets of latents as people write them: `0-3,7`; partitions: `0-3|4-6|rest`; orders: `2,0,1`.

use crate::error::{Error, Result};

/// Latents in the order in which they are written, each once: `0-3,7` is 0, 1, 2, 3, 7.
///
/// # Errors
/// Anything but numbers and ranges below `latent_dim`, or a latent twice.
pub fn set(text: &str, latent_dim: usize) -> Result<Vec<usize>> {
    let wrong = |what: String| {
        let hint = format!("write latents and ranges between 0 and {}, such as 0-3,7", latent_dim.saturating_sub(1));
        Error::Input { what: format!("the set of latents {text:?}: {what}"), hint: Some(hint) }
    };
    let number = |word: &str| -> Result<usize> {
        let word = word.trim();
        let index: usize = word.parse().map_err(|_| wrong(format!("{word:?} is not a latent")))?;
        if index < latent_dim { Ok(index) } else { Err(wrong(format!("there is no latent {index} among {latent_dim}"))) }
    };
    let mut taken = vec![false; latent_dim];
    let mut latents = Vec::new();
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(part)?, number(part)?),
        };
        if first > last {
            return Err(wrong(format!("the range {:?} runs backwards", part.trim())));
        }
        for (latent, taken) in taken.iter_mut().enumerate().take(last + 1).skip(first) {
            if std::mem::replace(taken, true) {
                return Err(wrong(format!("latent {latent} is there twice")));
            }
            latents.push(latent);
        }
    }
    Ok(latents)
}

/// Disjoint blocks that together hold every latent; the last may be the word `rest`.
///
/// # Errors
/// What [`set`] says of a block, a latent in two blocks or in none, fewer than two blocks.
pub fn partition(text: &str, latent_dim: usize) -> Result<Vec<Vec<usize>>> {
    let wrong = |what: String| Error::Input {
        what: format!("the partition {text:?}: {what}"),
        hint: Some("separate blocks by |, such as 0-3|4-6|rest".into()),
    };
    let mut block_of = vec![false; latent_dim];
    let mut blocks = Vec::new();
    let words: Vec<&str> = text.split('|').map(str::trim).collect();
    for (number, word) in words.iter().enumerate() {
        let block = match *word {
            "rest" if number + 1 == words.len() => (0..latent_dim).filter(|i| !block_of[*i]).collect(),
            _ => set(word, latent_dim)?,
        };
        if let Some(latent) = block.iter().find(|i| block_of[**i]) {
            return Err(wrong(format!("latent {latent} is in two blocks")));
        }
        block.iter().for_each(|i| block_of[*i] = true);
        if !block.is_empty() {
            blocks.push(block);
        }
    }
    if let Some(latent) = block_of.iter().position(|is_in| !is_in) {
        return Err(wrong(format!("latent {latent} is in no block")));
    }
    if blocks.len() < 2 { Err(wrong("there is one block only".into())) } else { Ok(blocks) }
}

/// All latents, each once, in the order in which they are written.
///
/// # Errors
/// What [`set`] says, or a latent that is missing.
pub fn order(text: &str, latent_dim: usize) -> Result<Vec<usize>> {
    let latents = set(text, latent_dim)?;
    match (0..latent_dim).find(|i| !latents.contains(i)) {
        None => Ok(latents),
        Some(missing) => Err(Error::Input {
            what: format!("the order {text:?} leaves latent {missing} out"),
            hint: Some("write every latent once, such as 2,0,1".into()),
        }),
    }
}

/// A set in short: `0-3, 7`.
pub fn said(latents: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for i in latents {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *i => *last = *i,
            _ => runs.push((*i, *i)),
        }
    }
    let run = |(first, last): &(usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sets_partitions_and_orders() {
        assert_eq!(set(" 0-2, 7,4 ", 8).unwrap(), [0, 1, 2, 7, 4]);
        assert_eq!(partition("2|0-1|rest", 5).unwrap(), [vec![2], vec![0, 1], vec![3, 4]]);
        assert_eq!(partition("0|1|rest", 2).unwrap(), [vec![0], vec![1]]);
        assert_eq!(order("2,0-1", 3).unwrap(), [2, 0, 1]);
        assert_eq!(said(&[0, 1, 2, 7, 4, 5]), "0-2, 7, 4-5");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let message = |error: Error| error.to_string();
        for (text, part) in
            [("", "\"\" is not a latent"), ("0-9", "no latent 9 among 8"), ("3-1", "backwards"), ("1,0-2", "latent 1 is there twice")]
        {
            let said = message(set(text, 8).unwrap_err());
            assert!(said.contains(part), "{said}");
        }
        for (text, part) in
            [("0|0-1", "latent 0 is in two"), ("0|1", "latent 2 is in no"), ("0-2", "one block"), ("rest|0", "not a latent")]
        {
            let said = message(partition(text, 3).unwrap_err());
            assert!(said.contains(part), "{said}");
        }
        assert!(message(order("0,2", 3).unwrap_err()).contains("leaves latent 1 out"));
        assert!(set("99999999999999999999", 8).is_err());
    }
}
