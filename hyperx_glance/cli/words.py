"""The words of tables for people, in English and Chinese; output for programs has neither.

>>> from hyperx_glance.cli.words import language, title, word
>>> language({"LANG": "zh_CN.UTF-8"}), language({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"})
('zh', 'en')
>>> title("disk_format", "zh"), title("disk_format", "en"), word("featured", "zh"), word("featured", "en")
('格式', 'Format', '精选', 'featured')
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hyperx_glance import vocabulary
from hyperx_glance.texts import LANGUAGES, Language

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "OS_HYPERX_LANGUAGE"

_TITLES = {
    "field": ("Field", "字段"),
    "value": ("Value", "值"),
    "kind": ("Kind", "种类"),
    "category": ("Category", "类别"),
    "state": ("State", "状态"),
    "phase": ("Phase", "阶段"),
    "properties": ("Other properties", "其他属性"),
    "tag": ("Tag", "标签"),
    "images": ("Images", "镜像数"),
    "servers": ("Servers", "虚拟机"),
    "cores": ("Cores", "处理器"),
    "ram_mib": ("Memory (MiB)", "内存 (MiB)"),
    "disk_gib": ("Disk (GiB)", "磁盘 (GiB)"),
    "fits": ("Fits", "适用"),
    "reason": ("Reason", "原因"),
    "lifecycle": ("Lifecycle", "生命周期"),
    "latest": ("Latest", "最新版本"),
    "releases": ("Releases", "版本数"),
    "action": ("Action", "处理"),
    "allowed": ("You may", "可用操作"),
    "status": ("Status", "状态"),
    "project_id": ("Department", "部门"),
    "through": ("Used as", "使用方式"),
    "server": ("Server", "虚拟机"),
    "password": ("Password", "密码"),
    "launch_id": ("Launch", "启动编号"),
    "image_id": ("Image", "镜像编号"),
    "admin_password": ("Administrator's password", "管理员密码"),
    "resource": ("Resource", "资源"),
    "used": ("Used", "已用"),
    "limit": ("Limit", "上限"),
    "remaining": ("Remaining", "剩余"),
    "by": ("By", "统计依据"),
    "count": ("Ordered", "台数"),
    "capture_id": ("Capture", "封装编号"),
    "bytes_done": ("Done", "已完成"),
    "bytes_expected": ("Expected", "总大小"),
    "elapsed_seconds": ("Seconds so far", "已用秒数"),
    "final_url": ("Leads to", "最终 URL"),
    "address": ("Address", "地址"),
    "content_type": ("Content type", "内容类型"),
    "file_name": ("File name", "文件名"),
    "packed": ("Packed with", "压缩格式"),
    "would_download": ("A browser would download it", "浏览器会下载"),
    "problem": ("Problem", "问题"),
    "explanation": ("Explanation", "原始信息"),
    "warnings": ("Warnings", "警告"),
    "check": ("Check", "检查"),
    "level": ("Level", "级别"),
    "message": ("Message", "结果"),
    "remedy": ("Remedy", "处理建议"),
    "outcome": ("Outcome", "处理结果"),
    "removed": ("Removed", "已移除的属性"),
    "left": ("Left", "未移除的属性"),
    "department": ("Department", "部门"),
    "department_id": ("Department id", "部门编号"),
    "since": ("Since", "更新时间"),
}
"""Titles of columns that are not fields of the vocabulary."""

_CHINESE = {
    "yes": "是",
    "no": "否",
    "unlimited": "无限制",
    "checking": "检查中",
    " of ": " / ",
    # what became of an image when HYPERX left
    "listed": "待移除",
    "removed": "已移除",
    "skipped": "已跳过",
    "refused": "被拒绝",
    # kinds, categories, phases
    "image": "镜像",
    "iso": "ISO",
    "volume": "云硬盘",
    "featured": "精选",
    "public": "公共",
    "private": "私有",
    "registered": "等待数据",
    "downloading": "下载中",
    "storing": "存储中",
    "ready": "就绪",
    "failed": "失败",
    "disabled": "已停用",
    "unknown": "未知",
    # lifecycles, and what became of a release
    "current": "当前",
    "deprecated": "已弃用",
    "obsolete": "已淘汰",
    "kept": "保留",
    "deleted": "已删除",
    # allowed actions
    "deprecate": "弃用",
    "reinstate": "恢复为当前",
    "launch": "启动",
    "edit": "编辑",
    "publish": "设为公共",
    "withdraw": "设为私有",
    "feature": "设为精选",
    "enable": "启用",
    "disable": "停用",
    "delete": "删除",
    "protect": "保护",
    "unprotect": "取消保护",
    "download": "下载",
    "share": "共享",
    "accept": "接受",
    "decline": "拒绝",
    # the criteria of a summary
    "total": "合计",
    "kind": "种类",
    "category": "类别",
    "state": "状态",
    "format": "格式",
    "os": "操作系统",
    "tag": "标签",
    "owner": "所有者",
    # problems of URLs; "refused" is above
    "bad_url": "URL 无效",
    "denied_scheme": "协议不允许",
    "denied_address": "地址禁止访问",
    "denied_port": "端口禁止访问",
    "name_not_found": "主机名无法解析",
    "tls": "TLS 错误",
    "timeout": "超时",
    "redirect_loop": "重定向过多",
    "http_status": "HTTP 状态错误",
    "html": "网页",
    "empty": "空文件",
    "packed": "压缩格式不受支持",
    "wrong_format": "格式不符",
    "unsafe_image": "镜像不安全",
    "unknown_format": "格式未知",
    "truncated": "数据不完整",
    "corrupt": "数据损坏",
    "changed": "数据已改变",
    "unreadable": "无法读取",
    "unwritable": "无法写入",
    "too_large": "过大",
    "no_checksum": "没有校验和",
    "ambiguous_checksum": "校验和不唯一",
    # what a department has answered to an image that is shared with it
    "pending": "待接受",
    "accepted": "已接受",
    "rejected": "已拒绝",
    # levels of the doctor's findings
    "ok": "正常",
    "warning": "警告",
    "error": "错误",
}

VIEWS = {
    "所有": "all",
    "精选": "featured",
    "公共": "public",
    "私有": "private",
    "共享": "shared",
    "待接受": "offered",
}
"""The console's tabs, which the command line also accepts; three of them are categories."""


def language(environment: Mapping[str, str] = os.environ) -> str:
    """Return the language of OS_HYPERX_LANGUAGE, or else of the locale, from its variables in the order of POSIX."""
    if chosen := environment.get(VARIABLE):
        return chosen
    locale = next(filter(None, map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if locale.lower().startswith("zh") else "en"


def title(field: str, language: Language) -> str:
    """Return the title of a column."""
    if field in _TITLES:
        return _TITLES[field][LANGUAGES.index(language)]
    described = vocabulary.BY_NAME[field]
    return described.title_zh if language == "zh" else described.title


def word(word: str, language: Language) -> str:
    """Return a word of the product in a language; a word without a translation stays English."""
    return _CHINESE.get(word, word) if language == "zh" else word
