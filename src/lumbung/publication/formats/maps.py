"""Read the office's boundary file as outlines for the map of an edition."""

from __future__ import annotations

import json
import math
from typing import Any

from lumbung.errors import ConfigurationError
from lumbung.publication.chapters.charts import WIDTH
from lumbung.publication.office import Office
from lumbung.settings import Settings

Ring = list[list[float]]
_MARGIN = 4


def outlines(settings: Settings, office: Office) -> dict[str, list[Ring]]:
    """Return the outer rings of each regency, by its Kemendagri code with a dot.

    The projection is equirectangular: longitude is scaled by the cosine of the map's middle
    latitude. The map is fitted to the width of a chart. Points are rounded to half a pixel, so that
    the same file gives the same outlines on any machine. Holes, and rings smaller than a pixel, are
    left out.

    Returns:
        rings of [x, y] in pixels, y downwards; empty when no boundary file is configured.

    Raises:
        ConfigurationError: when the file cannot be read or has no polygon with a code.

    """
    if office.boundary_file is None:
        return {}
    file = settings.config / office.boundary_file
    try:
        shapes: dict[str, list[Ring]] = {}
        for feature in json.loads(file.read_bytes())["features"]:
            code = str(feature["properties"][office.boundary_code]).replace(".", "")
            shapes.setdefault(f"{code[:2]}.{code[2:]}", []).extend(_outer(feature["geometry"]))
        points = [point for rings in shapes.values() for ring in rings for point in ring]
        west, east = min(p[0] for p in points), max(p[0] for p in points)
        south, north = min(p[1] for p in points), max(p[1] for p in points)
        shorter = math.cos(math.radians((south + north) / 2))
        scale = (WIDTH - 2 * _MARGIN) / ((east - west) * shorter)
    except (OSError, ValueError, TypeError, KeyError, IndexError, ZeroDivisionError) as error:
        raise ConfigurationError(
            f"the boundary file cannot be read: {error!r}",
            where=str(file),
            remediation="give a GeoJSON FeatureCollection of polygons in degrees (WGS 84), each "
            "with the "
            f"property '{office.boundary_code}', or remove boundary_file from edition.yaml",
        ) from error
    result = {}
    for code, rings in sorted(shapes.items()):
        drawn = []
        for ring in rings:
            line: Ring = []
            for point in ring:
                x = round(2 * (_MARGIN + (point[0] - west) * shorter * scale)) / 2
                y = round(2 * (_MARGIN + (north - point[1]) * scale)) / 2
                if not line or line[-1] != [x, y]:
                    line.append([x, y])
            if len(line) > 3:
                drawn.append(line)
        result[code] = drawn
    return result


def _outer(geometry: dict[str, Any]) -> list[Ring]:
    if geometry["type"] == "Polygon":
        return [geometry["coordinates"][0]]
    if geometry["type"] == "MultiPolygon":
        return [polygon[0] for polygon in geometry["coordinates"]]
    raise ValueError(f"geometry {geometry['type']}")
