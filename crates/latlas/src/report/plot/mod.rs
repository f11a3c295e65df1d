//! Plots: each draws something of an atlas as SVG for a given width. One file and one table line each.

mod active_over_models;
mod averaged_columns;
pub(crate) mod axes;
mod code_factor_maps;
mod code_scores;
mod columns_by_class;
mod conditioning;
mod core_detail;
mod cross_cosines;
mod decomposition;
mod draws;
mod entropy_spectrum;
mod geodesic_strips;
mod histogram;
mod label_ladder;
mod latent_plane;
mod latent_plane_geometry;
mod latent_plane_pictures;
pub(crate) mod legend;
mod log_volume;
pub(crate) mod over_models;
mod pairwise_information;
mod ranked;
mod reconstruction;
mod rotation_attack;
mod singular_values;
mod spread_and_entropy;
mod strips;
pub(crate) mod svg;
mod total_correlation_over_models;
mod traversals;

use super::atlas::Atlas;
use crate::error::Result;

/// A drawn plot.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The picture.
    pub svg: String,
    /// What it is.
    pub title: String,
    /// What there is to see and how to read it.
    pub caption: String,
}

/// Where on the page a plot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// How much each direction carries.
    Entropy,
    /// What directions share.
    Overlap,
    /// What each direction does.
    Directions,
    /// The latent plane, of models with two latents.
    Plane,
    /// Singular values and conditioning.
    Spectrum,
    /// What codes say of factors.
    Codes,
}

/// The width for which a plot is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Desktop and print.
    Wide,
    /// Phone.
    Narrow,
}

impl Width {
    /// In pixels.
    pub fn pixels(self) -> f64 {
        match self {
            Self::Wide => 720.0,
            Self::Narrow => 350.0,
        }
    }

    /// A unique id for a plot in this width.
    pub(crate) fn id(self, plot: &str) -> String {
        format!("{plot}-{}", if self == Self::Wide { "wide" } else { "narrow" })
    }
}

/// A line of the table.
#[derive(Clone, Copy)]
pub struct Plot {
    /// Stable id.
    pub id: &'static str,
    /// Where it stands.
    pub section: Section,
    /// Draws it; `None` where the atlas has nothing for it.
    pub draw: fn(&Atlas, Width) -> Result<Option<Figure>>,
}

/// All plots, in the order of a page.
pub const TABLE: &[Plot] = &[
    Plot { id: "entropy-spectrum", section: Section::Entropy, draw: entropy_spectrum::draw },
    Plot { id: "spread-and-entropy", section: Section::Entropy, draw: spread_and_entropy::draw },
    Plot { id: "reconstruction", section: Section::Entropy, draw: reconstruction::draw },
    Plot { id: "active-over-models", section: Section::Entropy, draw: active_over_models::draw },
    Plot { id: "pairwise-information", section: Section::Overlap, draw: pairwise_information::draw },
    Plot { id: "core-detail", section: Section::Overlap, draw: core_detail::draw },
    Plot { id: "decomposition", section: Section::Overlap, draw: decomposition::draw },
    Plot { id: "total-correlation-over-models", section: Section::Overlap, draw: total_correlation_over_models::draw },
    Plot { id: "cross-cosines", section: Section::Entropy, draw: cross_cosines::draw },
    Plot { id: "draws", section: Section::Directions, draw: draws::draw },
    Plot { id: "traversals", section: Section::Directions, draw: traversals::draw },
    Plot { id: "geodesic-strips", section: Section::Directions, draw: geodesic_strips::draw },
    Plot { id: "averaged-columns", section: Section::Directions, draw: averaged_columns::draw },
    Plot { id: "columns-by-class", section: Section::Directions, draw: columns_by_class::draw },
    Plot { id: "latent-plane", section: Section::Plane, draw: latent_plane::draw },
    Plot { id: "latent-plane-geometry", section: Section::Plane, draw: latent_plane_geometry::draw },
    Plot { id: "latent-plane-pictures", section: Section::Plane, draw: latent_plane_pictures::draw },
    Plot { id: "singular-values", section: Section::Spectrum, draw: singular_values::draw },
    Plot { id: "conditioning", section: Section::Spectrum, draw: conditioning::draw },
    Plot { id: "log-volume", section: Section::Spectrum, draw: log_volume::draw },
    Plot { id: "code-scores", section: Section::Codes, draw: code_scores::draw },
    Plot { id: "code-factor-maps", section: Section::Codes, draw: code_factor_maps::draw },
    Plot { id: "label-ladder", section: Section::Codes, draw: label_ladder::draw },
    Plot { id: "rotation-attack", section: Section::Codes, draw: rotation_attack::draw },
];
