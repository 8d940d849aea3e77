"""What stands in an export about itself."""

from typing import Final

README_TEXT: Final = """\
支部防篡改日志：导出
====================
entries.jsonl  每行一个条目：leaf 是日志中的原文，proof 是它的包含证明（RFC 6962 / RFC 9162），其余字段便于阅读。
checkpoint     日志的检查点，由日志签名，并附见证人的见证签名（c2sp.org/signed-note、tlog-checkpoint、tlog-cosignature）。
export.json    导出范围，以及验证密钥。
SHA256SUMS     各文件的校验和，可用 sha256sum -c SHA256SUMS 核对。

离线检查（不需要网络，也不需要本平台）：
    zhibu-audit verify 导出文件.zip --key 日志的验证密钥 --witness 见证人的验证密钥
不给出密钥时使用 export.json 中的密钥；请把它们与另行公布的密钥核对。
能证明：文件中的每个条目都一字不差地在日志中，检查点由日志和见证人签名。
不能证明：文件没有遗漏条目。要证明没有遗漏，须检查整份日志（zhibu-audit verify 目录或网址）。
条目中没有姓名、证件号码和手机号码，只有编号；涉及多人的条目只有加盐的承诺值。
index 是条目在这份日志中的位置（从 0 开始）。要得到 c2sp.org/tlog-proof 格式的证明文件，依次写：
    c2sp.org/tlog-proof@v1
    index <index>
    <proof 的每一项，各占一行>
    （空行）
    <checkpoint 的全部内容>

The log that nobody can change unseen: an export
================================================
entries.jsonl  one entry a line: leaf is the entry as it stands in the log, proof its inclusion proof (RFC 6962, RFC 9162);
               the other fields are there to be read.
checkpoint     the log's checkpoint with the witnesses' cosignatures (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature).
export.json    what was exported, and the verifier keys.
SHA256SUMS     checksums of the files; sha256sum -c SHA256SUMS compares them.

To check it offline, without a network and without the platform:
    zhibu-audit verify EXPORT.zip --key VKEY-OF-THE-LOG --witness VKEY-OF-A-WITNESS
Without keys those of export.json are used; compare them with the ones that were published elsewhere.
It proves that each entry in the file stands in the log, to the letter, under a checkpoint signed by log and witnesses.
It does not prove that no entry was left out of the file: that takes a check of the whole log (zhibu-audit verify DIR|URL).
Entries have no names, resident numbers or telephones, only identifiers; one about many people has salted commitments.
index is the entry's place in this log, from 0. A proof file (c2sp.org/tlog-proof) is written as shown above: that first line,
the line with the index, the hashes of proof one a line, an empty line, and all of checkpoint.
"""
