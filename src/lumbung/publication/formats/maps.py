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
    found = polygons(settings, office)
    try:
        shapes = {code: [polygon[0] for polygon in each] for code, each in found.items()}
        points = [point for rings in shapes.values() for ring in rings for point in ring]
        west, east = min(p[0] for p in points), max(p[0] for p in points)
        south, north = min(p[1] for p in points), max(p[1] for p in points)
        shorter = math.cos(math.radians((south + north) / 2))
        scale = (WIDTH - 2 * _MARGIN) / ((east - west) * shorter)
    except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:
        raise _unreadable(settings, office, error) from error
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


def polygons(settings: Settings, office: Office) -> dict[str, list[list[Ring]]]:
    """Return the polygons of each place in degrees, by its Kemendagri code with a dot.

    Returns:
        GeoJSON's coordinates of a MultiPolygon; empty when no boundary file is configured.

    Raises:
        ConfigurationError: when the file cannot be read or a feature has no code or polygon.

    """
    if office.boundary_file is None:
        return {}
    found: dict[str, list[list[Ring]]] = {}
    try:
        content = json.loads((settings.config / office.boundary_file).read_bytes())
        for feature in content["features"]:
            code = str(feature["properties"][office.boundary_code]).replace(".", "")
            place = ".".join(filter(None, (code[:2], code[2:])))  # in the country's file 19 alone
            found.setdefault(place, []).extend(_polygons(feature["geometry"]))
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise _unreadable(settings, office, error) from error
    return found


def _polygons(geometry: dict[str, Any]) -> list[list[Ring]]:
    if geometry["type"] == "Polygon":
        return [geometry["coordinates"]]
    if geometry["type"] == "MultiPolygon":
        return list(geometry["coordinates"])
    raise ValueError(f"geometry {geometry['type']}")


def _unreadable(settings: Settings, office: Office, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the boundary file cannot be read: {error!r}",
        where=str(settings.config / str(office.boundary_file)),
        remediation="give a GeoJSON FeatureCollection of polygons in degrees (WGS 84), each "
        "with the "
        f"property '{office.boundary_code}', or remove boundary_file from edition.yaml",
    )
