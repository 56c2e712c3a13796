"""The built-in models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Model


@hookimpl
def soundproof_components() -> list[type[Model]]:
    """All models of this package."""
    from soundproof_models.arwaveletcnn import ARWaveletCNN
    from soundproof_models.by_name import Timm, Torchvision
    from soundproof_models.classical import GaussianSVM, LinearSVM, LogisticRegression
    from soundproof_models.conv_gru_lstm import ConvGruLstm
    from soundproof_models.densenet import DenseNet121
    from soundproof_models.digit_resnet import DigitResNet
    from soundproof_models.mel_cnn import MelCnn
    from soundproof_models.mlp import MLP
    from soundproof_models.mobilenet import MobileNetV2
    from soundproof_models.module import Module
    from soundproof_models.random_forest import RandomForest
    from soundproof_models.resnet_cifar import ResNet56
    from soundproof_models.torchvision_networks import AlexNet, GoogLeNet, ResNet18, ResNet34
    from soundproof_models.transformers_folder import Transformers
    from soundproof_models.vgg import VGG16
    from soundproof_models.wavenet import WaveNet
    from soundproof_models.yamnet import YAMNet

    return [
        AlexNet,
        ARWaveletCNN,
        ConvGruLstm,
        DenseNet121,
        DigitResNet,
        GaussianSVM,
        GoogLeNet,
        LinearSVM,
        LogisticRegression,
        MelCnn,
        MLP,
        MobileNetV2,
        Module,
        RandomForest,
        ResNet18,
        ResNet34,
        ResNet56,
        Timm,
        Torchvision,
        Transformers,
        VGG16,
        WaveNet,
        YAMNet,
    ]
