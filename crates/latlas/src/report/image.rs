//! How a decoded vector becomes a picture: its shape, its range of values, and PNG files inside data URIs.

use base64::Engine;

use super::colour::{Map, Rgb};
use super::number::short;
use crate::error::{Error, Result};

/// Where the channels of a picture stand in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// C × H × W.
    First,
    /// H × W × C.
    Last,
}

/// The shape of pictures inside decoded vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// 1 or 3.
    pub channels: usize,
    /// Their place.
    pub order: Channels,
    /// Whether the shape was guessed from a vector's length.
    pub guessed: bool,
}

/// Pictures from a flat vector are only guessed from this side on: short vectors are rarely pictures.
const SMALLEST_SIDE: usize = 8;

impl Shape {
    /// The picture in an ambient shape: C×H×W or H×W×C with C of 1 or 3, H×W, or a flat square (of three channels:
    /// C×H×W). `None` where nothing looks like one.
    pub fn guess(ambient: &[usize]) -> Option<Self> {
        let shape = |height, width, channels, order, guessed| Self { height, width, channels, order, guessed };
        // Exporters keep axes of one around.
        let squeezed: Vec<usize> = ambient.iter().copied().filter(|n| *n != 1).collect();
        let found = match squeezed[..] {
            [3, h, w] if w != 3 || h == 3 => shape(h, w, 3, Channels::First, false),
            [h, w, 3] => shape(h, w, 3, Channels::Last, false),
            [h, w] if w > 3 && h > 3 => shape(h, w, 1, Channels::First, false),
            [n] => match (side(n), n.is_multiple_of(3).then(|| side(n / 3)).flatten()) {
                (Some(s), _) => shape(s, s, 1, Channels::First, true),
                (None, Some(s)) => shape(s, s, 3, Channels::First, true),
                _ => return None,
            },
            _ => return None,
        };
        (found.height >= 2 && found.width >= 2).then_some(found)
    }

    /// `HxWxC` or `HxW`, for decoded vectors of this shape. Flat vectors are read as H×W×C, image shapes as they are.
    pub fn parse(text: &str, ambient: &[usize]) -> Result<Self> {
        let sizes: Option<Vec<usize>> = text.split(['x', 'X', '×']).map(|part| part.trim().parse().ok().filter(|n| *n > 0)).collect();
        let (height, width, channels) = match sizes.as_deref() {
            Some([h, w]) => (*h, *w, 1),
            Some([h, w, c @ (1 | 3)]) => (*h, *w, *c),
            _ => {
                return Err(Error::Input {
                    what: format!("{text:?} is not the shape of an image"),
                    hint: Some("write height x width x channels with 1 or 3 channels, such as 64x64x3".into()),
                });
            }
        };
        let ambient_dim: usize = ambient.iter().product();
        let pixels = height.checked_mul(width).and_then(|n| n.checked_mul(channels));
        if pixels != Some(ambient_dim) {
            return Err(Error::Shape {
                what: format!("images of {height}×{width}×{channels} need {} values, the decoder gives {ambient_dim}", said(pixels)),
                hint: Some(format!("the decoder's output has the shape {ambient:?}")),
            });
        }
        let order = if ambient.ends_with(&[channels, height, width]) { Channels::First } else { Channels::Last };
        Ok(Self { height, width, channels, order, guessed: false })
    }

    /// Values of one picture.
    pub fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Never true; a picture has pixels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of a pixel's channel in the vector.
    fn index(&self, row: usize, column: usize, channel: usize) -> usize {
        match self.order {
            Channels::First => (channel * self.height + row) * self.width + column,
            Channels::Last => (row * self.width + column) * self.channels + channel,
        }
    }

    /// A picture in its own colours.
    pub fn picture(&self, values: &[f64], range: &Range) -> Raster {
        self.draw(|row, column| {
            let tone = |channel| {
                let t = range.share(values[self.index(row, column, channel)]);
                if t.is_nan() { 128 } else { (255.0 * t).round() as u8 }
            };
            if self.channels == 3 { [tone(0), tone(1), tone(2)] } else { [tone(0); 3] }
        })
    }

    /// Signed values (averaged over channels) from −`scale` (blue) over 0 (white) to `scale` (red).
    pub fn signed(&self, values: &[f64], scale: f64) -> Raster {
        let mean = |row, column| (0..self.channels).map(|c| values[self.index(row, column, c)]).sum::<f64>() / self.channels as f64;
        self.draw(|row, column| Map::Signed.at(0.5 + 0.5 * mean(row, column) / scale))
    }

    /// The largest absolute value that [`Shape::signed`] would see.
    pub fn signed_scale(&self, values: &[f64]) -> f64 {
        let pixels = (0..self.height).flat_map(|row| (0..self.width).map(move |column| (row, column)));
        let means = pixels.map(|(row, column)| {
            let sum: f64 = (0..self.channels).map(|c| values[self.index(row, column, c)]).sum();
            (sum / self.channels as f64).abs()
        });
        means.filter(|x| x.is_finite()).fold(0.0, f64::max)
    }

    fn draw(&self, pixel: impl Fn(usize, usize) -> Rgb) -> Raster {
        Raster::draw(self.width, self.height, |column, row| pixel(row, column))
    }

    /// In words: `8 × 8 grey`.
    pub fn words(&self) -> String {
        format!("{} × {} {}", self.height, self.width, if self.channels == 3 { "colour" } else { "grey" })
    }
}

fn side(n: usize) -> Option<usize> {
    let side = n.isqrt();
    (side >= SMALLEST_SIDE && side * side == n).then_some(side)
}

fn said(count: Option<usize>) -> String {
    count.map_or("too many".into(), |n| n.to_string())
}

/// Which values are black and white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Black.
    pub low: f64,
    /// White.
    pub high: f64,
    /// Whether it comes from the values (percentiles) and not from a convention.
    pub fitted: bool,
}

impl Range {
    /// 0 to 1, −1 to 1 or 0 to 255 where nearly all values respect it, else the 1st to the 99th percentile.
    pub fn of<'a>(values: impl Iterator<Item = &'a f64>) -> Self {
        let mut sorted: Vec<f64> = values.copied().filter(|x| x.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |p: f64| sorted.get(((sorted.len().max(1) - 1) as f64 * p).round() as usize).copied().unwrap_or(0.0);
        let (low, high) = (at(0.01), at(0.99));
        let within = |a: f64, b: f64| low >= a - 0.15 * (b - a) && high <= b + 0.15 * (b - a);
        let convention = [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)].into_iter().find(|(a, b)| {
            // A convention whose range is hardly used would only make a dark picture.
            within(*a, *b) && high - low > 0.2 * (b - a)
        });
        match convention {
            Some((low, high)) => Self { low, high, fitted: false },
            None if high > low => Self { low, high, fitted: true },
            None => Self { low: low - 0.5, high: low + 0.5, fitted: true },
        }
    }

    fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// In words, for captions.
    pub fn words(&self) -> String {
        let ends = format!("black is {}, white is {}", short(self.low), short(self.high));
        if self.fitted { format!("{ends} (1st and 99th percentile of the values shown)") } else { ends }
    }
}

/// A raster image of 8-bit colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    pixels: Vec<Rgb>,
}

impl Raster {
    /// The image whose pixel at (column, row) is given.
    pub fn draw(width: usize, height: usize, mut pixel: impl FnMut(usize, usize) -> Rgb) -> Self {
        let mut pixels = Vec::with_capacity(width * height);
        for row in 0..height {
            pixels.extend((0..width).map(|column| pixel(column, row)));
        }
        Self { width, height, pixels }
    }

    /// The colour of a pixel.
    pub fn pixel(&self, column: usize, row: usize) -> Rgb {
        self.pixels[row * self.width + column]
    }

    /// As a `data:image/png` URI; grey images are stored as grey.
    pub fn data_uri(&self) -> Result<String> {
        Ok(format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(self.png()?)))
    }

    /// As a PNG file.
    pub fn png(&self) -> Result<Vec<u8>> {
        self.encoded().map_err(|error| Error::Input { what: format!("cannot encode an image: {error}"), hint: None })
    }

    fn encoded(&self) -> std::result::Result<Vec<u8>, png::EncodingError> {
        let grey = self.pixels.iter().all(|[r, g, b]| r == g && g == b);
        let data: Vec<u8> = if grey { self.pixels.iter().map(|p| p[0]).collect() } else { self.pixels.concat() };
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(if grey { png::ColorType::Grayscale } else { png::ColorType::Rgb });
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&data)?;
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn guess(ambient: &[usize]) -> Option<(usize, usize, usize, Channels)> {
        Shape::guess(ambient).map(|s| (s.height, s.width, s.channels, s.order))
    }

    #[test]
    fn shapes_are_guessed() {
        assert_eq!(guess(&[3, 64, 64]), Some((64, 64, 3, Channels::First)));
        assert_eq!(guess(&[64, 48, 3]), Some((64, 48, 3, Channels::Last)));
        assert_eq!(guess(&[1, 28, 28]), Some((28, 28, 1, Channels::First)));
        assert_eq!(guess(&[28, 28, 1]), Some((28, 28, 1, Channels::First)));
        assert_eq!(guess(&[64]), Some((8, 8, 1, Channels::First)));
        assert_eq!(guess(&[3072]), Some((32, 32, 3, Channels::First)));
        for none in [&[7][..], &[9], &[100, 3], &[2, 3, 4, 5], &[]] {
            assert_eq!(guess(none), None, "{none:?}");
        }
    }

    #[test]
    fn shapes_are_read_and_checked() {
        assert_eq!(Shape::parse("64x64x3", &[3, 64, 64]).unwrap().order, Channels::First);
        assert_eq!(Shape::parse("32x32x3", &[3072]).unwrap().order, Channels::Last);
        assert_eq!(Shape::parse("8×8", &[64]).unwrap().len(), 64);
        assert!(Shape::parse("8x8", &[65]).unwrap_err().to_string().contains("the decoder gives 65"));
        for wrong in ["8", "8x8x2", "8x0", "axb", "", "99999999999x99999999999x3"] {
            assert!(Shape::parse(wrong, &[64]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_follow_conventions() {
        let range = |values: &[f64]| {
            let r = Range::of(values.iter());
            (r.low, r.high, r.fitted)
        };
        assert_eq!(range(&[0.0, 0.4, 1.02]), (0.0, 1.0, false));
        assert_eq!(range(&[-0.9, 0.4, 0.8]), (-1.0, 1.0, false));
        assert_eq!(range(&[3.0, 240.0]), (0.0, 255.0, false));
        assert_eq!(range(&[-7.0, 12.0]), (-7.0, 12.0, true));
        assert_eq!(range(&[5.0]), (4.5, 5.5, true));
        assert!(Range::of([f64::NAN].iter()).high > 0.0);
    }

    #[test]
    fn pixels_stand_where_they_should() {
        let first = Shape::parse("2x2x3", &[3, 2, 2]).unwrap();
        let values: Vec<f64> = (0..12).map(|i| f64::from(i) / 11.0).collect();
        let range = Range { low: 0.0, high: 1.0, fitted: false };
        let raster = first.picture(&values, &range);
        assert_eq!(
            raster.pixel(1, 0),
            [(255.0_f64 / 11.0).round() as u8, (255.0 * 5.0_f64 / 11.0).round() as u8, (255.0 * 9.0_f64 / 11.0).round() as u8]
        );
        let png = raster.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut buffer).unwrap();
        assert_eq!(&buffer[3..6], raster.pixel(1, 0));
        assert!(raster.data_uri().unwrap().starts_with("data:image/png;base64,iVBOR"));
    }
}
