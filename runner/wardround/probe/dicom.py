"""DICOM: verification (PS3.4 annex A) and storage of a synthetic image (PS3.4 annex B)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import SecondaryCaptureImageStorage, Verification

from wardround.probe.answer import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynetdicom.association import Association

_SUCCESS = 0x0000
_EDGE = 16


@dataclass(frozen=True, slots=True)
class Titles:
    """The AE titles of an association: who calls, and who is called."""

    calling: str
    called: str


def echo(port: int, titles: Titles, seconds: float) -> Reply:
    """Ask for verification (C-ECHO)."""
    entity = _entity(titles, seconds)
    entity.add_requested_context(Verification)
    return _asked(entity, port, titles, lambda association: association.send_c_echo(), "C-ECHO")


def store(port: int, titles: Titles, hospital: str, seconds: float) -> Reply:
    """Send one synthetic image (C-STORE), the same one each time, so that an archive holds it once."""
    entity = _entity(titles, seconds)
    entity.add_requested_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    image = synthetic_image(hospital)
    return _asked(entity, port, titles, lambda association: association.send_c_store(image), "C-STORE")


def synthetic_image(hospital: str) -> Dataset:
    """Make a small grey ramp of no patient; its identifiers follow from the hospital's name alone."""
    image = Dataset()
    image.SOPClassUID = SecondaryCaptureImageStorage
    image.SOPInstanceUID = _uid(hospital, "image")
    image.StudyInstanceUID = _uid(hospital, "study")
    image.SeriesInstanceUID = _uid(hospital, "series")
    image.PatientName, image.PatientID = "WARDROUND^PROBE", "WARDROUND-PROBE"
    image.PatientBirthDate = image.PatientSex = image.ReferringPhysicianName = ""
    image.StudyID = image.SeriesNumber = image.InstanceNumber = "1"
    image.StudyDate = image.StudyTime = image.AccessionNumber = ""
    image.Modality, image.ConversionType = "OT", "SYN"
    image.StudyDescription = "Synthetic image of a probe, of no patient"
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows = image.Columns = _EDGE
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    image.PixelData = bytes(range(_EDGE * _EDGE))
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return image


def _uid(hospital: str, part: str) -> str:
    return str(generate_uid(entropy_srcs=["wardround probe", hospital, part]))


def _entity(titles: Titles, seconds: float) -> AE:
    entity = AE(ae_title=titles.calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = seconds
    return entity


def _asked(entity: AE, port: int, titles: Titles, ask: Callable[[Association], Dataset], what: str) -> Reply:
    started = datetime.now().astimezone()
    association = entity.associate("127.0.0.1", port, ae_title=titles.called)
    if association.is_rejected:
        return Reply(good=False, words=f"the association of {titles.calling} with {titles.called} was rejected")
    if not association.is_established:
        return Reply(good=False, words=f"no association of {titles.calling} with {titles.called} came about")
    try:
        status = ask(association)
    except (ValueError, RuntimeError) as refused:
        # The library raises where the peer accepted the association and not the service.
        return Reply(good=False, words=f"{titles.called} does not take a {what} from {titles.calling}: {refused}")
    finally:
        association.release()
    code = status.get("Status")
    if code != _SUCCESS:
        said = "no status" if code is None else f"status {code:04x}"
        return Reply(good=False, words=f"{titles.called} answered the {what} with {said}")
    took = (datetime.now().astimezone() - started).total_seconds()
    return Reply(good=True, words=f"{titles.called} answered the {what} in {took * 1000:.0f} ms")
