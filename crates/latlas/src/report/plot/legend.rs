//! Names of lines with their colours, in rows above a frame.

use super::svg::{Anchor, SMALL, Svg, text_width};

/// Names and colours in order.
#[derive(Debug)]
pub struct Legend<'a>(pub &'a [(&'a str, &'a str)]);

/// From one row to the next.
const ROW: f64 = 16.0;
/// Left of a name, with its stroke.
const STROKE: f64 = 23.0;
/// Between a name and the next stroke.
const GAP: f64 = 17.0;

impl Legend<'_> {
    /// Where every entry begins, x from the left edge and its row, when there is so much room.
    fn places(&self, room: f64) -> Vec<(f64, usize)> {
        let (mut x, mut row) = (0.0, 0);
        let place = |(name, _): &(&str, &str)| {
            let width = STROKE + text_width(name, SMALL.size);
            if x > 0.0 && x + width > room {
                (x, row) = (0.0, row + 1);
            }
            let at = (x, row);
            x += width + GAP;
            at
        };
        self.0.iter().map(place).collect()
    }

    /// Pixels from the top of the legend to that of what it belongs to; 0 without entries.
    pub fn height(&self, room: f64) -> f64 {
        self.places(room).last().map_or(0.0, |(_, row)| ROW * (row + 1) as f64 + 6.0)
    }

    /// Draws it from a corner on.
    pub fn draw(&self, svg: &mut Svg, (left, top): (f64, f64), room: f64) {
        for ((name, colour), (x, row)) in self.0.iter().zip(self.places(room)) {
            let (x, y) = (left + x, top + 6.0 + ROW * row as f64);
            svg.line((x, y), (x + 18.0, y), colour, 2.0);
            svg.text((x + STROKE, y + 4.0), Anchor::Start, SMALL, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_go_to_the_next_row() {
        let legend = Legend(&[("one", "red"), ("two", "blue"), ("three", "green")]);
        assert_eq!(legend.places(1000.0).iter().map(|(_, row)| *row).collect::<Vec<_>>(), [0, 0, 0]);
        assert_eq!(legend.places(110.0).iter().map(|(_, row)| *row).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(legend.places(10.0).iter().map(|(_, row)| *row).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(legend.height(10.0) > legend.height(1000.0) && Legend(&[]).height(10.0) == 0.0);
    }
}
