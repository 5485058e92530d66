"""The cells after the LSTM by name, for the models that take `cell=`."""

from lessons.later import Later
from lessons.linear_attention import GatedAttention, LinearAttention
from lessons.minimal import MinGRU, MinLSTM
from lessons.rwkv import RWKV
from lessons.state_space import S4D, Selective
from lessons.xlstm import MLSTM, SLSTM

CELLS: dict[str, type[Later]] = {
    kind.mode: kind
    for kind in (MinLSTM, MinGRU, LinearAttention, GatedAttention, S4D, Selective, SLSTM, MLSTM, RWKV)
}
